"""Keeps the age of an inbox: seconds that its own machine has counted, and nobody else."""

from __future__ import annotations

from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.plans.inbox.model import to_value
from gitbaton.plans.inbox.records import CLOCK, Found, read_one
from gitbaton.plans.inbox.rules import Age, Reading, advance
from gitbaton.store.model import ABSENT, Actor, Transaction
from gitbaton.store.protocol import Store

_STEP: Final = 60.0  # seconds: a finer count would only cost writes
_OBSERVER: Final = Actor("inbox")


class AgeKeeper:
    """Reads the age of the inbox in ``store``; moves it on if ``own``: it is this machine's."""

    def __init__(self, store: Store, clock: Clock, *, own: bool) -> None:
        self._store, self._clock, self._own = store, clock, own
        self._next = 0.0

    def read(self) -> float:
        """Return the age in seconds, as it was last counted."""
        found = self._find()
        return 0.0 if found is None else found.value.counted

    def tick(self) -> float | None:
        """Count on if that is due; return the age if it was. Cheap otherwise."""
        now = Reading(self._clock.origin, self._clock.elapsed())
        if not self._own or now.elapsed < self._next:
            return None
        self._next = now.elapsed + _STEP
        found = self._find()
        if found is not None and _is_fresh(found.value, now):
            return found.value.counted  # another process of this machine has just counted
        age = advance(None if found is None else found.value, now)
        change = Transaction(
            expect={CLOCK: ABSENT if found is None else found.version},
            write={CLOCK: to_value(age)},
            subject="age: counted on",
            actor=_OBSERVER,
            heartbeat=True,
        )
        self._store.commit([change])  # a conflict: somebody else has counted
        return age.counted

    def _find(self) -> Found[Age] | None:
        return read_one(self._store, CLOCK, Age)


def _is_fresh(age: Age, now: Reading) -> bool:
    return age.origin == now.origin and 0 <= now.elapsed - age.at < _STEP
