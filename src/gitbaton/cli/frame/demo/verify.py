"""Was everything kept that was promised? The history of the world is read with plain git.

What merging means is known here for sums and for elements with a key only: sums show that nothing
was applied twice or not at all, and so do elements that bear the name of their op.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

from gitbaton.cli.demo.snapshot import take_snapshot
from gitbaton.cli.demo.stage import DESK, MACHINES
from gitbaton.cli.demo.verdict import Verdict, judge
from gitbaton.cli.frame.demo.stage import TownStage

_PURSES: Final = "purses.json"


@dataclass(frozen=True, slots=True)
class Delta:
    """What one worker published for one frame: who ran, and the ops of all its streams."""

    frame: int
    worker: str
    agents: Sequence[str]
    ops: Sequence[Mapping[str, Any]]


class Evidence:
    """What git remembers of the world; each is read once. ``before``: the clones, as they were."""

    def __init__(self, stage: TownStage, before: Mapping[str, Mapping[str, str]]) -> None:
        self.stage = stage
        self.before = before

    @cached_property
    def line(self) -> Sequence[tuple[str, Sequence[str]]]:
        """Each frame's commit and the deltas among its parents, oldest first."""
        listed = self._git("rev-list", "--first-parent", "--reverse", "--parents", "world")
        rows = (row.split() for row in listed.splitlines())
        return [(commit, parents[1:]) for commit, *parents in rows]

    @cached_property
    def records(self) -> Sequence[Mapping[str, Any]]:
        """``frame.json`` of each frame, oldest first."""
        return [self.document(commit, "frame.json") for commit, _ in self.line]

    @cached_property
    def merged(self) -> Sequence[Delta]:
        """Every delta among the parents of a frame, in order, as often as it is there."""
        return [self._read_delta(commit) for _, deltas in self.line for commit in deltas]

    @cached_property
    def ops(self) -> Sequence[Mapping[str, Any]]:
        """Every op in ``merged``."""
        return [op for delta in self.merged for op in delta.ops]

    def document(self, commit: str, name: str) -> Any:
        """Return a document as it is in a frame."""
        return json.loads(self._git("show", f"{commit}:{name}"))

    def _read_delta(self, commit: str) -> Delta:
        header = self.document(commit, "delta.json")
        names = self._git("ls-tree", "--name-only", commit, "streams/").splitlines()
        lines = [row for name in names for row in self._git("show", f"{commit}:{name}").split("\n")]
        return Delta(
            header["frame"],
            header["worker"],
            [agent for run in header["streams"].values() for agent in run["agents"]],
            [json.loads(row) for row in lines if row.strip()],
        )

    def _git(self, *words: str) -> str:
        return self.stage.git(self.stage.hub, *words)


def verify(evidence: Evidence) -> list[Verdict]:
    """Return one verdict a promise."""
    return [judge(name, find(evidence)) for name, find in _PROMISES.items()]


# --- each yields what breaks the promise


def _not_consecutive(evidence: Evidence) -> Iterator[str]:
    numbers = [record["number"] for record in evidence.records]
    if numbers != list(range(len(numbers))):
        yield f"the frames are {numbers}"


def _not_merged_once(evidence: Evidence) -> Iterator[str]:
    pairs = Counter((delta.frame, delta.worker) for delta in evidence.merged)
    recorded = Counter(tuple(pair) for record in evidence.records for pair in record["merged"])
    for pair in sorted(pairs.keys() | recorded.keys()):
        if (pairs[pair], recorded[pair]) != (1, 1):
            yield f"delta {pair}: {pairs[pair]} times in git, {recorded[pair]} times in the records"


def _not_said_once(evidence: Evidence) -> Iterator[str]:
    said = Counter(
        op["key"] for op in evidence.ops if (op["op"], op["doc"]) == ("append", "forum.json")
    )
    forum = evidence.document("world", "forum.json")
    replies = [reply for thread in forum["replies"].values() for reply in thread]
    there = Counter(entry["id"] for entry in [*forum["threads"], *replies])
    for key in sorted(said.keys() | there.keys()):
        if (said[key], there[key]) != (1, 1):
            yield f"{key}: said {said[key]} times, there {there[key]} times"


def _not_paid_once(evidence: Evidence) -> Iterator[str]:
    first, last = (evidence.document(evidence.line[at][0], _PURSES) for at in (0, -1))
    owned = Counter(first)
    for op in evidence.ops:
        if (op["op"], op["doc"]) == ("incr", _PURSES):
            owned[op["path"][1:]] += op["value"]
    for who in sorted(owned.keys() | last.keys()):
        if owned[who] != last.get(who, 0):
            yield f"{who} should own {owned[who]} and owns {last.get(who)}"


def _gold_made_or_lost(evidence: Evidence) -> Iterator[str]:
    totals = {sum(evidence.document(commit, _PURSES).values()) for commit, _ in evidence.line}
    if len(totals) != 1:
        yield f"there were {sorted(totals)} in all"


def _left_out(evidence: Evidence) -> Iterator[str]:
    ran = Counter((delta.frame, agent) for delta in evidence.merged for agent in delta.agents)
    for (frame, agent), times in ran.items():
        if times > 1:
            yield f"{agent} ran {times} times in frame {frame}"
    lives = [set(evidence.document(commit, "agents.json")) for commit, _ in evidence.line[:-1]]
    idle = [{a for a in agents if (at, a) not in ran} for at, agents in enumerate(lives)]
    for at, (one, other) in enumerate(pairwise(idle)):
        for agent in sorted(one & other):
            yield f"{agent} ran neither in frame {at} nor in the next"


def _not_replayed(evidence: Evidence) -> Iterator[str]:
    answer = evidence.stage.baton(DESK, "frame", "replay", "--all", "--json").json
    for frame in answer["frames"]:
        if frame["differences"]:
            yield f"frame {frame['frame']} differs in {', '.join(frame['differences'])}"
    if len(answer["frames"]) != len(evidence.line) - 1:
        yield f"{len(answer['frames'])} of {len(evidence.line) - 1} frames were merged again"


def _changed_clones(evidence: Evidence) -> Iterator[str]:
    for name in MACHINES:
        after = take_snapshot(evidence.stage, evidence.stage.place(name))
        for part, before in evidence.before[name].items():
            if after[part] != before:
                yield f"{name}: {part} changed"


_PROMISES: Final[Mapping[str, Callable[[Evidence], Iterable[str]]]] = {
    "frames are consecutive, none is missing": _not_consecutive,
    "every delta was merged exactly once": _not_merged_once,
    "whatever was said on the forum stands there exactly once": _not_said_once,
    "every payment was booked exactly once": _not_paid_once,
    "no gold was made or lost in any frame": _gold_made_or_lost,
    "nobody ran twice in a frame, or was left out of two": _left_out,
    "every frame, merged again, comes out the same to the byte": _not_replayed,
    "the three clones are as they were (refs, index, config, stash)": _changed_clones,
}
