"""What can be wrong between the phases of a plan, each mistake with its line (pure)."""

from __future__ import annotations

import difflib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Final

from gitbaton.plans.model import Header
from gitbaton.plans.problem import Code, Path, Places, Problem
from gitbaton.plans.reading import Entry
from gitbaton.tasks.circles import find_cycle

MOST_CIRCLES: Final = 20  # more say no more
BOARDS: Final = ("baton", "baton-rescue")  # branches that gitbaton keeps for itself


class Rules:
    """Checks the phases that could be read. ``places``: where they stand."""

    def __init__(self, entries: Sequence[Entry], places: Places) -> None:
        self._entries = entries
        self._places = places
        self._first: dict[str, Entry] = {}
        for entry in entries:
            self._first.setdefault(entry.phase.id, entry)

    def needs(self) -> Mapping[str, Sequence[str]]:
        """Return the needs of every phase that are phases (of twins: the first one's)."""
        return {
            id: tuple(need for need in entry.phase.needs if need in self._first)
            for id, entry in self._first.items()
        }

    def twins(self) -> Iterator[Problem]:
        """Yield the phases whose id another one has already."""
        for entry in self._entries:
            first = self._first[entry.phase.id]
            if first is not entry:
                line = self._places.line(first.path("id"))
                yield self._error(entry, "duplicate-id", "id", f"the id is taken on line {line}")

    def unknown_needs(self) -> Iterator[Problem]:
        """Yield the needs that are no phases."""
        for entry in self._entries:
            for number, need in enumerate(entry.phase.needs):
                if need not in self._first:
                    near = difflib.get_close_matches(need, self._first, n=1, cutoff=0.5)
                    hint = f"; did you mean {near[0]!r}?" if near else ""
                    words = f"needs {need!r}, and there is no such phase{hint}"
                    yield self._error(entry, "unknown-need", "needs", words, number)

    def circles(self) -> Iterator[Problem]:
        """Yield the circles of needs, each as its path: what comes first needs what follows."""
        needs = {id: list(wanted) for id, wanted in self.needs().items()}
        for _ in range(MOST_CIRCLES):
            circle = find_cycle(needs, list(needs))
            if circle is None:
                return
            last, again = circle[-2], circle[-1]
            entry = self._first[last]
            words = f"the needs go in a circle: {' -> '.join(circle)}"
            number = entry.phase.needs.index(again)
            yield self._error(entry, "circle", "needs", words, number)
            needs[last] = [need for need in needs[last] if need != again]

    def unchecked(
        self, header: Header | None, *, doubtful: Container[str | None]
    ) -> Iterator[Problem]:
        """Yield the phases that nothing checks.

        ``doubtful``: phases whose checks could not be read; None: those of the whole plan.
        """
        if header is None or header.checks or None in doubtful:
            return
        for entry in self._entries:
            if not entry.phase.checks and entry.phase.id not in doubtful:
                words = 'there is no check; write: checks = ["a command that fails if it is wrong"]'
                yield self._error(entry, "no-check", "checks", words)

    def branches(
        self, header: Header | None, *, prefix: str, taken: Iterable[str]
    ) -> Iterator[Problem]:
        """Yield the branches that two phases would have, or that cannot exist side by side.

        ``prefix``: of the branches of tasks that name none. ``taken``: those of the project.
        """
        plan = header.name if header is not None else "plan"
        owners: dict[str, str] = dict.fromkeys(taken, "the project")
        owners |= dict.fromkeys(BOARDS, "gitbaton itself")
        for id, entry in self._first.items():
            if entry.phase.branch is None:
                owners.setdefault(f"{prefix}{plan}.{id}", f"phase {id!r}")
        named: dict[str, Entry] = {}
        for id, entry in self._first.items():
            branch = entry.phase.branch
            if branch is not None and branch in owners:
                words = f"branch {branch!r} is already that of {owners[branch]}"
                yield self._error(entry, "duplicate-branch", "branch", words)
            elif branch is not None:
                owners[branch] = f"phase {id!r}"
                named[branch] = entry
        for branch, other in _clashes(named, owners):
            words = f"branch {branch!r} cannot exist beside {other!r} in git"
            yield self._error(named[branch], "branch-clash", "branch", words)

    def _error(self, entry: Entry, code: Code, field: str, words: str, *rest: int) -> Problem:
        path: Path = entry.path(field, *rest)
        return Problem(
            self._places.line(path),
            "error",
            code,
            f"phase {entry.phase.id!r}: {words}",
            entry.phase.id,
            field,
        )


def _clashes(named: Container[str], owners: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (branch, other branch) where one is a directory of the other, each pair once.

    The first is one that is ``named``: the outer one if both are.
    """
    every = sorted(owners)
    known = set(every)
    for inner in every:
        for outer in _directories(inner):
            if outer in known:
                if outer in named:
                    yield outer, inner
                elif inner in named:
                    yield inner, outer


def _directories(branch: str) -> Iterator[str]:
    """Yield the names that ``branch`` makes directories of."""
    parts = branch.split("/")
    return ("/".join(parts[:length]) for length in range(1, len(parts)))
