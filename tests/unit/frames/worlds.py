"""Merging a few streams' ops into a world that is written down in the test."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gitbaton.frames.codec import write_op
from gitbaton.frames.delta import Delta, Header, StreamRun, read_delta, write_delta
from gitbaton.frames.merge import MergeResult, merge
from gitbaton.frames.op import Op
from gitbaton.frames.rules import Rule, RuleTable

FRAME = 3
DOC = "w.json"


def delta(worker: str, *ops: Op, frame: int = FRAME, stream: str = "s0") -> Delta:
    """Return a delta with one stream, read back from its files."""
    header = Header(frame=frame, worker=worker, streams={stream: StreamRun(agents=("ann",))})
    files = write_delta(header, {stream: b"".join(map(write_op, ops))})
    return read_delta(frame, worker, files)


def play(world: Any, *deltas: Delta, rules: Iterable[Rule] = ()) -> tuple[Any, MergeResult]:
    """Return what ``deltas`` make of the document DOC, and all that merging found."""
    before = json.dumps(world).encode() if world is not None else None
    result = merge(
        FRAME, deltas, RuleTable(list(rules)), lambda doc: before if doc == DOC else None
    )
    data = result.changed.get(DOC, before)
    return (None if data is None else json.loads(data)), result


def told(result: MergeResult) -> list[tuple[str, str, list[tuple[str, Any, bool]]]]:
    """Return the conflicts as (kind, path, claims), each claim as (worker, value, won)."""
    return [
        (one.kind, one.path, [(claim.worker, claim.value, claim.won) for claim in one.claims])
        for one in result.conflicts
    ]


def last_of(*workers: str) -> str:
    """Return the worker whose turn is last in FRAME, as the merge tells it."""
    from gitbaton.frames.op import Set

    value, _ = play({}, *(delta(name, Set(DOC, "/who", name)) for name in workers))
    winner: Mapping[str, str] = value
    return winner["who"]
