"""Choosing among alternatives with the refs that a push session shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gitbaton.core.ids import Oid
from gitbaton.git.remote import RefUpdate
from gitbaton.store.gitengine.attempts import Attempts
from gitbaton.store.gitengine.layout import Layout
from gitbaton.store.gitengine.planner import Plan


class Choosing:
    """One choice of up to ``count`` of several hot transactions, for ``Remote.push_chosen``.

    Only what is chosen is built (``plan``). ``chosen``: what was chosen last, with its plans;
    ``passed``: what stood before those and has moved on, as the session shows.
    """

    def __init__(
        self,
        tries: Sequence[Attempts],
        count: int,
        layout: Layout,
        plan: Callable[[Attempts], Plan],
    ) -> None:
        self._tries = tries
        self._count = count
        self._layout = layout
        self._plan = plan
        self._shown: Mapping[str, Oid] | None = None
        self.chosen: list[tuple[Attempts, Plan]] = []
        self.passed: list[Attempts] = []

    def choose(self, refs: Mapping[str, Oid] | None) -> Sequence[RefUpdate]:
        """Choose anew; ``refs`` None: by what an earlier session showed, if one did."""
        self.forget()
        if refs is not None:
            self._shown = refs
        taken: set[str] = set()
        for tried in self._tries:
            if len(self.chosen) == self._count:
                break
            ((key, expected),) = tried.tx.expect.items()
            ref = self._layout.ref(key)
            if self._shown is not None and self._shown.get(ref) != str(expected):
                self.passed.append(tried)
            elif ref not in taken:
                taken.add(ref)
                plan = self._plan(tried)
                tried.plans.append(plan)
                self.chosen.append((tried, plan))
        return [update for _, plan in self.chosen for update in plan.updates]

    def forget(self) -> None:
        """Take the last choice back: it was surely not sent."""
        for tried, plan in self.chosen:
            tried.plans.remove(plan)
        self.chosen, self.passed = [], []
