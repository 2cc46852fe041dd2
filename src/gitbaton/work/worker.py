"""The worker: claims ready tasks into its slots, keeps them alive, and does everybody's upkeep.

One thread looks and claims; each slot runs one assignment in a thread of its own; a third kind of
thread sends heartbeats. Threads share nothing but the queue (thread-safe) and the events.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import Protocol

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.errors import (
    BatonError,
    NothingToClaim,
    OutcomeUnknown,
    RemoteUnreachable,
)
from gitbaton.tasks.model import Status
from gitbaton.tasks.queue import Claimant, Claimed, Queue, View
from gitbaton.tasks.readiness import Readiness
from gitbaton.work.events import Kind, Listener, WorkEvent

_POLL = 2.0  # seconds between looks when there is a free slot and nothing to claim
_POLL_LIMIT = 20.0  # the same after long idleness
_UPKEEP = 20.0  # seconds between rounds of reaping, settling and tidying
_TICK = 0.2


class Slot(Protocol):
    """Runs one claim from the worktree to the landing. Never raises."""

    def run(self, claimed: Claimed, slot: int) -> bool:
        """Return whether the task was finished (landed, in review, or given to a person)."""
        ...

    def stop(self, reason: str) -> None:
        """End every running agent; its work is saved and its task released."""
        ...


class Chores(Protocol):
    """What any worker does for everybody."""

    def run(self) -> None:
        """Reap, settle, send what waits, tidy. Raises RemoteUnreachable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How a worker works. ``drain``: until nothing is left anywhere; ``once``: one task."""

    name: str
    machine: str
    jobs: int = 1
    capabilities: frozenset[str] = frozenset()
    lease: float | None = None
    once: bool = False
    drain: bool = False


@dataclass(slots=True)
class _State:
    busy: dict[int, threading.Thread] = field(default_factory=dict)
    finished: int = 0
    failed: int = 0
    claimed: int = 0
    quiet: int = 0
    told: str = ""
    upkeep_due: float = 0.0
    poll_due: float = 0.0


class Worker:
    """Works until it is told to stop, or until there is nothing left (``Shift``)."""

    def __init__(
        self,
        queue: Queue,
        shift: Shift,
        slot: Slot,
        chores: Chores,
        *,
        clock: Clock,
        rng: random.Random,
        listener: Listener,
    ) -> None:
        self._queue = queue
        self._shift = shift
        self._slot = slot
        self._chores = chores
        self._clock = clock
        self._rng = rng
        self._listener = listener
        self._draining = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()

    def drain(self) -> None:
        """Claim nothing more; end when the running tasks have ended."""
        if not self._draining.is_set():
            self._draining.set()
            self._tell("draining", "finishing the running tasks; once more to stop them")

    def stop(self) -> None:
        """Stop the agents, save their work, release their tasks, end."""
        self._draining.set()
        if not self._stopping.is_set():
            self._stopping.set()
            self._slot.stop("the worker was stopped")

    def run(self) -> int:
        """Work, and return how many attempts failed.

        With ``once``, raises NothingToClaim at once when no task is ready.
        """
        state = _State()
        self._tell("started", f"{self._shift.name}: {self._shift.jobs} slot(s)")
        try:
            while not self._is_over(state):
                self._upkeep(state)
                self._fill(state)
                self._collect(state)
        finally:
            for thread in list(state.busy.values()):
                thread.join()
            self._collect(state, wait=False)
        self._tell("ended", f"{state.finished} finished, {state.failed} failed")
        return state.failed

    def _is_over(self, state: _State) -> bool:
        if state.busy:
            return False
        return self._draining.is_set() or (self._shift.once and state.claimed > 0)

    def _upkeep(self, state: _State) -> None:
        now = self._clock.elapsed()
        if now < state.upkeep_due:
            return
        state.upkeep_due = now + _UPKEEP * self._rng.uniform(0.8, 1.2)
        try:
            self._chores.run()
        except RemoteUnreachable as error:
            self._tell("notice", f"the remote is away: {error.message}")
        except BatonError as error:
            self._tell("notice", f"upkeep: {error.message}")

    def _fill(self, state: _State) -> None:
        while not self._draining.is_set() and len(state.busy) < self._shift.jobs:
            if self._shift.once and state.claimed:
                return
            if self._clock.elapsed() < state.poll_due:
                return
            number = next(n for n in range(1, self._shift.jobs + 1) if n not in state.busy)
            try:
                [claimed] = self._queue.claim(self._claimant(number), lease=self._shift.lease)
            except NothingToClaim as error:
                self._nothing(state, error)
                return
            except OutcomeUnknown as error:
                self._tell("notice", f"a claim whose fate is unknown was given up: {error.message}")
                self._wait(state)
                return
            except RemoteUnreachable as error:
                self._say_waiting(state, f"the remote cannot be reached: {error.message}")
                self._wait(state)
                return
            state.claimed += 1
            state.quiet = 0
            state.told = ""
            self._start(state, claimed, number)

    def _start(self, state: _State, claimed: Claimed, number: int) -> None:
        self._tell(
            "claimed",
            claimed.task.title,
            slot=number,
            task=claimed.task.id,
            epoch=claimed.token.epoch,
        )

        def work() -> None:
            good = self._slot.run(claimed, number)
            with self._lock:
                if good:
                    state.finished += 1
                else:
                    state.failed += 1

        thread = threading.Thread(target=work, name=f"slot-{number}")
        state.busy[number] = thread
        thread.start()

    def _collect(self, state: _State, *, wait: bool = True) -> None:
        """Free the slots whose work has ended; wait a moment when nothing has."""
        ended = [n for n, thread in state.busy.items() if not thread.is_alive()]
        for number in ended:
            state.busy.pop(number).join()
        if ended:
            state.poll_due = 0.0
            state.upkeep_due = min(state.upkeep_due, self._clock.elapsed() + 1.0)
        elif wait and not self._is_over(state):
            self._clock.sleep(_TICK)

    def _nothing(self, state: _State, error: NothingToClaim) -> None:
        if self._shift.once and not state.busy:
            raise error
        view = self._queue.view()
        if self._shift.drain and not state.busy and self._is_drained(view):
            self._draining.set()
            return
        self._say_waiting(state, error.message)
        self._wait(state)

    def _is_drained(self, view: View) -> bool:
        """Tell whether no task is ready, delayed or in progress anywhere.

        What waits for a person, or for something that has failed, will not change by waiting.
        """
        readiness = Readiness(view, self._queue.gatekeeper)
        for task in view.tasks.values():
            if task.status is Status.IN_PROGRESS:
                return False
            if task.status is Status.PENDING:
                kinds = {obstacle.kind for obstacle in readiness.obstacles(task)}
                if kinds <= {"delay", "paths"}:
                    return False
        return True

    def _wait(self, state: _State) -> None:
        state.quiet += 1
        longest = min(_POLL * 1.3**state.quiet, _POLL_LIMIT)
        if state.busy or self._shift.drain:
            longest = _POLL
        state.poll_due = self._clock.elapsed() + self._rng.uniform(0.5, 1.0) * longest

    def _say_waiting(self, state: _State, text: str) -> None:
        if text != state.told and not state.busy:
            state.told = text
            self._tell("waiting", text)

    def _claimant(self, number: int) -> Claimant:
        return Claimant(
            agent=f"{self._shift.name}#{number}",
            worker=self._shift.name,
            machine=self._shift.machine,
            capabilities=self._shift.capabilities,
        )

    def _tell(
        self,
        kind: Kind,
        text: str,
        *,
        slot: int | None = None,
        task: str | None = None,
        epoch: int | None = None,
    ) -> None:
        self._listener(
            WorkEvent(
                kind=kind,
                at=rfc3339(self._clock.now()),
                text=text,
                slot=slot,
                task=task,
                epoch=epoch,
            )
        )
