"""The one way to the store: look, decide by a pure rule, commit by compare-and-swap, again.

A decision may be tried on what was seen last (``recall``) instead of a look, which saves a round
trip: the compare-and-swap finds out if it was out of date. But nothing recalled is ever an answer:
what it would refuse, or find done already, is looked at first.
"""

from __future__ import annotations

import functools
import math
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError, HostRefused, NoAtomicPush, OutcomeUnknown, Refused
from gitbaton.core.ids import Oid
from gitbaton.store.model import (
    Actor,
    Committed,
    Conflict,
    Move,
    Outcome,
    Rejected,
    Snapshot,
    Target,
    Transaction,
    Unknown,
    Version,
)
from gitbaton.store.protocol import Store
from gitbaton.tasks.contention import Contention
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.model import Task, encode_task
from gitbaton.tasks.observations import Observer
from gitbaton.tasks.settings import QueueSettings
from gitbaton.tasks.view import View, read_tasks

TRIES: Final = 12
_FIRST_PAUSE: Final = 0.05  # seconds
_LONGEST_PAUSE: Final = 1.0


class LandingStale(BatonError):
    """A branch that the result was to be published on has moved; the claim is still good.

    ``moved``: where each of them is now (None: it does not exist).
    """

    code = "landing_stale"

    def __init__(self, moved: Mapping[Target, Oid | None]) -> None:
        super().__init__("a branch moved while the result was being published")
        self.moved = dict(moved)


@dataclass(frozen=True, slots=True)
class Step:
    """What was decided: the task as it shall be, and how that is told."""

    task: Task
    subject: str
    actor: Actor
    moves: Sequence[Move] = ()
    heartbeat: bool = False

    def transaction(self, version: Version) -> Transaction:
        """Return the change that puts the task in the place of ``version``."""
        key = self.task.key
        return Transaction(
            expect={key: version},
            write={key: encode_task(self.task)},
            moves=tuple(self.moves),
            subject=self.subject,
            actor=self.actor,
            heartbeat=self.heartbeat,
        )


Decide: TypeAlias = Callable[[View, Task], Step | None]

Trust: TypeAlias = Callable[[Task], bool]
"""Tells of a task whether its own record is all that a step relies on."""


class Ledger:
    """The records of all tasks, as one observer sees and changes them. Thread-safe."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        rng: random.Random,
        settings: QueueSettings,
        gatekeeper: GateKeeper,
        refresh_gatekeeper: Callable[[], GateKeeper] | None,
        observer: Observer,
    ) -> None:
        self.store = store
        self.settings = settings
        self.gatekeeper = gatekeeper
        self._refresh_gatekeeper = refresh_gatekeeper
        self._clock = clock
        self._rng = rng
        self._observer = observer
        self.contention = Contention(clock)
        self.moved: set[Version] = set()  # of what was seen last: replaced, as pushes have shown
        self._known: View | None = None
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the wall-clock time, for records that people read."""
        return self._clock.now()

    def elapsed(self) -> float:
        """Return this observer's clock, in seconds."""
        return self._clock.elapsed()

    def view(self) -> View:
        """Return all tasks; this counts as a look of the observer."""
        view = self._read(self.store.read())
        self.moved = set()
        return replace(view, sights=self._observer.look(view))

    def recall(self, *, since: float = -math.inf) -> View | None:
        """Return all tasks as they were seen last, with changes of our own; None if by no look
        that was asked after ``since`` on this observer's clock.

        No look: it asks nobody, and no time is counted for leases.
        """
        snapshot = self.store.recall()
        if snapshot is None or snapshot.asked <= since:
            return None
        view = self._read(snapshot)
        return replace(view, sights=self._observer.recall(view))

    def ask_gatekeeper(self) -> Callable[[], GateKeeper]:
        """Return what gives one operation its gatekeeper, by the rules as they are now (I9).

        They are asked for at the first call only: most operations meet no gate and pay nothing.
        What it returns raises RemoteUnreachable, HostRefused.
        """

        @functools.cache
        def ask() -> GateKeeper:
            if self._refresh_gatekeeper is not None:
                self.gatekeeper = self._refresh_gatekeeper()
            return self.gatekeeper

        return ask

    def pause(self, attempt: int) -> None:
        """Wait a little after a lost race, longer each time, never as long as the others."""
        longest = min(_FIRST_PAUSE * 2.0**attempt, _LONGEST_PAUSE)
        self._clock.sleep(self._rng.uniform(longest / 4, longest))

    def change(self, id: str, decide: Decide, *, trust: Trust | None = None) -> Task:
        """Return the task after the step that ``decide`` finds right for its present state.

        ``decide`` may return None (nothing is left to do) or raise. After a lost race it is asked
        again. Of what ``trust`` tells so, the state seen last is tried before a look. Raises
        LandingStale when nothing but a branch had moved.
        """
        since = -math.inf
        for attempt in range(TRIES):
            began = self.elapsed()
            change = None if trust is None else self._guess(id, decide, trust, since)
            if change is None:
                view = self.view()
                task = view.find(id)
                step = decide(view, task)
                if step is None:
                    return task
                change = step, view.versions[task.id]
            step, version = change
            [outcome] = self.store.commit([step.transaction(version)])
            since = began
            if isinstance(outcome, Committed):
                return step.task
            if not isinstance(outcome, Conflict):
                raise failure(outcome)
            if outcome.moved and not outcome.found:
                raise LandingStale(outcome.moved)
            self.pause(attempt)
        raise Refused(
            f"task {id!r} kept changing; nothing was done", code="busy", next=f"baton show {id}"
        )

    def _guess(
        self, id: str, decide: Decide, trust: Trust, since: float
    ) -> tuple[Step, Version] | None:
        """Return the step, and what it replaces, by what was seen last; None: look first."""
        view = self.recall(since=since)
        if view is None:
            return None
        try:
            task = view.find(id)
            step = decide(view, task) if trust(task) else None
        except BatonError:
            return None
        return None if step is None else (step, view.versions[task.id])

    def _read(self, snapshot: Snapshot) -> View:
        with self._lock:
            known = self._known
        view = read_tasks(snapshot, known)
        with self._lock:
            self._known = view
        return view


def failure(outcome: Outcome) -> BatonError:
    """Return the error for an outcome that is neither a success nor a lost race."""
    if isinstance(outcome, Rejected):
        if outcome.code == "no_atomic":
            return NoAtomicPush(outcome.reason)
        return HostRefused(outcome.reason, ref=outcome.ref)
    if isinstance(outcome, Unknown):
        return OutcomeUnknown(outcome.reason, next="baton status")
    raise ValueError(f"{outcome!r} is no failure")
