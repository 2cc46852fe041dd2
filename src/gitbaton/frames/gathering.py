"""Which of the deltas that are there belong into the next frame (pure; exactly once, I7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gitbaton.core.ids import Oid
from gitbaton.frames.chronicle import Entry
from gitbaton.frames.codec import Quarantined
from gitbaton.frames.refs import Pair

Why: TypeAlias = Literal["repeated", "foreign"]

REASONS: Mapping[Why, str] = {
    "repeated": "another delta of this worker for this frame was merged before: two processes "
    "bear one name",
    "foreign": "it was not made from this world at this frame",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A delta's ref: its pair and commit, and the commit's parents."""

    pair: Pair
    commit: Oid
    parents: tuple[Oid, ...]


@dataclass(frozen=True, slots=True)
class Aside:
    """A delta that is kept among the parents of a frame and not merged."""

    pair: Pair
    commit: Oid
    why: Why

    def report(self) -> Quarantined:
        """Return what the frame's record says of it."""
        return Quarantined(
            frame=self.pair.frame,
            worker=self.pair.worker,
            stream="",
            line=0,
            reason=f"{REASONS[self.why]} ({self.commit})",
        )


@dataclass(frozen=True, slots=True)
class Gathering:
    """What becomes of the deltas: each in the order of its pairs.

    ``merge`` go into the next frame. ``aside`` are kept and not merged. ``done`` are among the
    parents of a frame already: only their refs are still to be deleted. ``astray`` stay where they
    are: they lead to commits that are not of this world, a whole history of them perhaps, which
    every clone would have to fetch for ever if a frame had them among its parents.
    """

    merge: tuple[Found, ...]
    aside: tuple[Aside, ...]
    done: tuple[Found, ...]
    astray: tuple[Found, ...] = ()


def gather(found: Iterable[Found], number: int, chronicle: Iterable[Entry]) -> Gathering:
    """Return what becomes of the deltas ``found`` when frame ``number`` closes.

    ``chronicle``: the branch from its tip back to the earliest frame among them. A delta of a
    frame that is yet to come is left where it is.
    """
    entries = list(chronicle)
    commits = {entry.commit: entry.number for entry in entries if entry.number is not None}
    merge: list[Found] = []
    aside: list[Aside] = []
    done: list[Found] = []
    astray: list[Found] = []
    for one in sorted(found, key=lambda each: each.pair):
        if one.pair.frame > number:
            continue
        # A delta of frame F is consumed by F+1 at the earliest.
        later = [e for e in entries if e.number is not None and e.number > one.pair.frame]
        if any(one.commit in entry.taken for entry in later):
            done.append(one)
        elif not commits.keys() >= set(one.parents):
            astray.append(one)
        elif any(one.pair in entry.merged for entry in later):
            aside.append(Aside(one.pair, one.commit, "repeated"))
        elif [commits.get(parent) for parent in one.parents] != [one.pair.frame]:
            aside.append(Aside(one.pair, one.commit, "foreign"))
        else:
            merge.append(one)
    return Gathering(tuple(merge), tuple(aside), tuple(done), tuple(astray))
