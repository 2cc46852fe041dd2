"""Random fleets on one small world: few documents and places, so that everything collides.

Made from a seed rather than from strategies: a fleet has hundreds of small choices, and drawing
them one by one would take most of the time of the tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, Final

from gitbaton.frames.codec import Ops, read_ops, write_op
from gitbaton.frames.delta import Delta, Header, StreamRun
from gitbaton.frames.merge import MergeResult, merge
from gitbaton.frames.op import Add, Append, Delete, Incr, Max, Merge, Min, Op, Remove, Set
from gitbaton.frames.rules import Rule, RuleTable

FRAME: Final = 7
DOCS: Final = ("a.json", "town/b.json")
PATHS: Final = (
    "",
    "/a",
    "/a/b",
    "/a/b/c",
    "/n",
    "/n",
    "/l",
    "/l",
    "/l/0",
    "/l/0/n",
    "/l/1",
    "/x~1y",
)
NAMES: Final = ("a", "b", "c", "n", "l", "id")
SCALARS: Final = (None, True, 0, 1, 2, 2.5, -1, 1e300, "p", "q", "")
NUMBERS: Final[tuple[int | float, ...]] = (0, 1, -3, 2.5, 0.1, 1e300, 1.7e308, 2**70)


def make_value(chance: Random, depth: int = 2) -> Any:
    """Return some JSON value."""
    kind = chance.random()
    if depth == 0 or kind < 0.5:
        return chance.choice(SCALARS)
    if kind < 0.75:
        return [make_value(chance, depth - 1) for _ in range(chance.randrange(4))]
    return make_object(chance, depth)


def make_object(chance: Random, depth: int = 2) -> dict[str, Any]:
    """Return some JSON object."""
    return {
        name: make_value(chance, depth - 1) for name in chance.sample(NAMES, chance.randrange(4))
    }


def make_op(chance: Random) -> Op:
    """Return some op."""
    place = chance.choice(DOCS), chance.choice(PATHS)
    marks: dict[str, Any] = {}
    if chance.random() < 0.2:
        marks = {"new": True} if chance.random() < 0.5 else {"base": make_value(chance)}
    kind = chance.randrange(10)
    if kind < 2:
        return Set(*place, make_value(chance), **marks)
    if kind == 2:
        return Delete(*place, **marks)
    if kind == 3:
        return Merge(*place, make_object(chance, 3), **marks)
    if kind == 4:
        return Append(*place, make_value(chance), key=chance.choice([None, None, "k1", "k2"]))
    if kind == 5:
        return Add(*place, make_value(chance, 1))
    if kind == 6:
        return Remove(*place, make_value(chance, 1))
    if kind == 7:
        return Incr(*place, chance.choice(NUMBERS), **marks)
    bound: int | float | str = chance.choice([*NUMBERS, chance.choice("pq")])
    return (Max if kind == 8 else Min)(*place, bound)


def make_delta(frame: int, worker: str, stream: str, good: Mapping[int, Op]) -> Delta:
    """Return a delta with one stream."""
    header = Header(frame=frame, worker=worker, streams={stream: StreamRun()})
    return Delta(header, {stream: Ops(good)})


def make_fleet(chance: Random, *, size: int = 6) -> list[Delta]:
    """Return the deltas of some streams, most of this frame, some of the one before."""
    deltas = []
    for worker in ("w1", "w2", "w3"):
        for stream in ("s0", "s1"):
            for frame in (FRAME, FRAME - 1):
                if chance.random() < (0.7 if frame == FRAME else 0.2):
                    lines = (write_op(make_op(chance)) for _ in range(chance.randint(1, size)))
                    good = read_ops(b"".join(lines)).good
                    deltas.append(make_delta(frame, worker, stream, good))
    return deltas


def make_world(chance: Random) -> dict[str, Any]:
    """Return some documents: objects that have some of the places, or anything."""
    world: dict[str, Any] = {}
    for doc in DOCS:
        if chance.random() < 0.7:
            world[doc] = make_object(chance, 3)
            if chance.random() < 0.7:
                world[doc]["l"] = [make_value(chance, 1) for _ in range(3)]
        elif chance.random() < 0.3:
            world[doc] = make_value(chance)
    return world


def make_rules(chance: Random) -> list[Rule]:
    """Return some table of rules."""
    return [
        Rule(
            chance.choice(["**", "a.json", "town/*.json"]),
            chance.choice(["/**", "/n", "/*", "/a/**", "/l", ""]),
            chance.choice(["last", "max", "min", "sum", "union", "append", "reject"]),
        )
        for _ in range(chance.randrange(4))
    ]


def split(deltas: Iterable[Delta], chance: Random) -> Iterator[Delta]:
    """Cut every delta into parts, with some ops in more than one and none left out."""
    for delta in deltas:
        for stream, whole in delta.streams.items():
            parts: list[dict[int, Op]] = [{} for _ in range(chance.randint(1, 3))]
            for number in chance.sample(list(whole.good), len(whole.good)):
                for part in chance.sample(parts, chance.randint(1, len(parts))):
                    part[number] = whole.good[number]
            for part in parts:
                yield make_delta(delta.header.frame, delta.header.worker, stream, part)


def play(
    deltas: Iterable[Delta], world: Mapping[str, Any], rules: Sequence[Rule] = ()
) -> MergeResult:
    """Merge into ``world``; check that only documents that ops name are asked for, each once."""
    asked: list[str] = []

    def read(doc: str) -> bytes | None:
        asked.append(doc)
        return json.dumps(world[doc]).encode() if doc in world else None

    deltas = list(deltas)
    result = merge(FRAME, deltas, RuleTable(rules), read)
    named = {op.doc for d in deltas for ops in d.streams.values() for op in ops.good.values()}
    assert sorted(asked) == sorted(named)
    return result
