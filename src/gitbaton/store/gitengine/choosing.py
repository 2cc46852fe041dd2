"""Choosing among alternatives with the refs that a push session shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gitbaton.core.ids import Oid
from gitbaton.git.objects import RawObject
from gitbaton.git.remote import RefUpdate
from gitbaton.store.deferred import Deferred, are_awaited, expectation
from gitbaton.store.gitengine.attempts import Attempts
from gitbaton.store.gitengine.layout import Layout
from gitbaton.store.gitengine.plan import Plan
from gitbaton.store.model import (
    Absent,
    Choice,
    Committed,
    Spared,
    Transaction,
    Unknown,
    Version,
)


class Tries(Deferred[Attempts]):
    """What becomes of each of several alternatives. Most are neither begun nor even made."""

    def __init__(
        self, alternatives: Sequence[Transaction], begin: Callable[[Transaction], Attempts]
    ) -> None:
        super().__init__(len(alternatives), lambda place: begin(alternatives[place]))
        self.alternatives = alternatives
        self.moved: set[int] = set()  # places of what has moved on from the version it expects

    def won(self, places: Sequence[int] | None = None) -> int:
        """Return how many are done, or may be: who counts on less might come to hold too many."""
        return sum(isinstance(t.outcome, Committed | Unknown) for t in self.made(places))

    def choices(self) -> list[Choice]:
        """Return what became of each."""
        return [self._choice(place) for place in range(len(self))]

    def _choice(self, place: int) -> Choice:
        if place in self.moved:
            return Spared("moved")
        if not self.has_made(place):
            return Spared()
        tried = self[place]
        if tried.outcome is not None:
            return tried.outcome
        return Spared("raced") if tried.plans else Spared()


class Choosing:
    """One choice of up to ``count`` of the hot ones at ``places``, for ``Remote.push_chosen``.

    Only what is chosen is built (``plan``) and written (``write``). ``chosen``: what was chosen
    last, with its plans. What was tried before, or has moved on as a session showed, is passed
    over.
    """

    def __init__(
        self,
        tries: Tries,
        places: Sequence[int],
        count: int,
        layout: Layout,
        plan: Callable[[Attempts], Plan],
        write: Callable[[list[RawObject]], None],
    ) -> None:
        self._tries = tries
        self._places = places
        self._count = count
        self._layout = layout
        self._plan = plan
        self._write = write
        self._awaited = are_awaited(tries.alternatives)
        self._shown: Mapping[str, Oid] | None = None
        self.chosen: list[tuple[Attempts, Plan]] = []

    def choose(self, refs: Mapping[str, Oid] | None) -> Sequence[RefUpdate]:
        """Choose anew; ``refs`` None: by what an earlier session showed, if one did.

        What cannot be built is raised, and nothing is chosen then.
        """
        self.forget()
        if refs is not None:
            self._shown = refs
        try:
            self._choose()
            self._write([item for _, plan in self.chosen for item in plan.objects])
        except BaseException:
            self.forget()
            raise
        return [update for _, plan in self.chosen for update in plan.updates]

    def _choose(self) -> None:
        taken: set[str] = set()
        for place in self._places:
            if len(self.chosen) == self._count:
                break
            if place in self._tries.moved or self._was_tried(place):
                continue
            key, expected = expectation(self._tries.alternatives, place)
            ref = self._layout.ref(key)
            if not self._may_stand(ref, expected) or self._tries[place].base is None:
                self._tries.moved.add(place)
            elif ref not in taken:
                taken.add(ref)
                self._take(self._tries[place])

    def _may_stand(self, ref: str, expected: Version | Absent) -> bool:
        """Tell whether ``ref`` may be as expected; what is awaited must be seen to be there."""
        if self._shown is None:
            return not self._awaited
        return self._shown.get(ref) == str(expected)

    def forget(self) -> None:
        """Take the last choice back: it was surely not sent."""
        for tried, plan in self.chosen:
            tried.plans.remove(plan)
        self.chosen = []

    def _was_tried(self, place: int) -> bool:
        return self._tries.has_made(place) and bool(self._tries[place].plans)

    def _take(self, tried: Attempts) -> None:
        plan = self._plan(tried)
        tried.plans.append(plan)
        self.chosen.append((tried, plan))
