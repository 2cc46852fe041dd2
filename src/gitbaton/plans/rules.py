"""What can be wrong between the phases of a plan, each mistake with its line (pure)."""

from __future__ import annotations

import difflib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Final

from gitbaton.plans.model import Header
from gitbaton.plans.problem import Path, Places, Problem
from gitbaton.plans.reading import Entry
from gitbaton.tasks.drafts import find_cycle

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
        if None in doubtful or (header is not None and header.checks):
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
        wanted: list[tuple[str, Entry]] = []
        for entry in self._first.values():
            if entry.phase.branch is None:
                owners.setdefault(f"{prefix}{plan}.{entry.phase.id}", f"phase {entry.phase.id!r}")
            else:
                wanted.append((entry.phase.branch, entry))
        for branch, entry in wanted:
            owner = owners.get(branch)
            if owner is not None:
                words = f"branch {branch!r} is already that of {owner}"
                yield self._error(entry, "duplicate-branch", "branch", words)
            owners.setdefault(branch, f"phase {entry.phase.id!r}")
        inner: dict[str, str] = {}
        for branch in owners:
            for outer in _directories(branch):
                inner.setdefault(outer, branch)
        for branch, entry in wanted:
            if branch in inner:
                words = f"branch {branch!r} cannot exist beside {inner[branch]!r} (git keeps both)"
                yield self._error(entry, "branch-clash", "branch", words)
            above = next((outer for outer in _directories(branch) if outer in owners), None)
            if above is not None and owners[above] in ("the project", "gitbaton itself"):
                words = f"branch {branch!r} cannot exist beside {above!r} (git keeps both)"
                yield self._error(entry, "branch-clash", "branch", words)

    def _error(self, entry: Entry, code: str, field: str, words: str, *rest: int) -> Problem:
        path: Path = entry.path(field, *rest)
        return Problem(
            self._places.line(path),
            "error",
            code,
            f"phase {entry.phase.id!r}: {words}",
            entry.phase.id,
            field,
        )


def _directories(branch: str) -> Iterator[str]:
    """Yield the names that ``branch`` makes directories of."""
    parts = branch.split("/")
    return ("/".join(parts[:length]) for length in range(1, len(parts)))
