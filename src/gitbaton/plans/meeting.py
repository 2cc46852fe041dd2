"""Finds the phases that may run together and touch one file (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gitbaton.plans.graph import Graph, members
from gitbaton.plans.pathtree import PathTree
from gitbaton.tasks.globs import common_file

MOST_MEETINGS: Final = 50  # reported one by one
MOST_SEARCHES: Final = 30_000  # pairs of globs compared exactly: about a second


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two phases, neither of which needs the other, a glob of each, and a file both match."""

    one: str
    other: str
    glob: str
    other_glob: str
    file: str


@dataclass(frozen=True, slots=True)
class Meetings:
    """``shown``: the first ones. ``count``: how many there are. ``unsure``: globs not compared."""

    shown: Sequence[Meeting]
    count: int
    unsure: int = 0


def find_meetings(
    paths: Mapping[str, Sequence[str]],
    graph: Graph,
    *,
    most: int = MOST_MEETINGS,
    searches: int = MOST_SEARCHES,
) -> Meetings:
    """Return the pairs of phases that may run together and whose globs can match one file.

    ``paths``: the valid globs of each phase. Globs are compared, not phases: equal ones once.
    """
    compared = _Comparison(paths, graph, searches)
    shown: list[Meeting] = []
    count = 0
    for number, id in enumerate(graph.ids):
        beside = graph.beside(number) >> (number + 1) << (number + 1)  # each pair once
        met = 0
        for glob in paths.get(id, ()):
            met |= compared.users_near(glob) & beside
        count += met.bit_count()
        for other in members(met) if len(shown) < most else ():
            shown.append(compared.describe(id, graph.ids[other]))
            if len(shown) == most:
                break
    return Meetings(shown, count, compared.unsure)


class _Comparison:
    def __init__(self, paths: Mapping[str, Sequence[str]], graph: Graph, searches: int) -> None:
        self._paths = paths
        self._users: dict[str, int] = {}
        for id, globs in paths.items():
            for glob in globs:
                self._users[glob] = self._users.get(glob, 0) | 1 << graph.number[id]
        self._near = dict(self._users)
        self.unsure = 0
        self._compare(searches)

    def users_near(self, glob: str) -> int:
        """Return as bits the phases with a glob that meets ``glob``, its own ones among them."""
        return self._near[glob]

    def describe(self, one: str, other: str) -> Meeting:
        """Return the first meeting of two phases that is known to be there."""
        for glob in self._paths[one]:
            for other_glob in self._paths[other]:
                file = common_file(glob, other_glob)
                if file is not None:
                    return Meeting(one, other, glob, other_glob, file)
        raise AssertionError("phases that were found to meet do meet")

    def _compare(self, searches: int) -> None:
        tree = PathTree()
        for number, glob in enumerate(self._users):
            for other in tree.near(glob):
                searches -= 1
                if searches < 0:
                    self.unsure = len(self._users) - number
                    return
                if common_file(glob, other) is not None:
                    self._near[glob] |= self._users[other]
                    self._near[other] |= self._users[glob]
            tree.add(glob)
