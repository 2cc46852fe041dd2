"""The worker: claims ready tasks into its slots, keeps them alive, and does everybody's upkeep.

One thread looks and claims; each slot runs one assignment in a thread of its own; a third kind of
thread sends heartbeats. Threads share nothing but the queue (thread-safe) and the events.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from gitbaton.core.clock import Clock
from gitbaton.core.errors import (
    BatonError,
    HostRefused,
    InvalidInput,
    NothingToClaim,
    OutcomeUnknown,
)
from gitbaton.tasks.claims import Claimant, Claimed
from gitbaton.tasks.model import Status
from gitbaton.tasks.queue import Queue
from gitbaton.tasks.readiness import Readiness
from gitbaton.tasks.view import View
from gitbaton.work.company import Company
from gitbaton.work.events import Listener, Teller
from gitbaton.work.reception import Bare, Errand, Reception
from gitbaton.work.shift import Chores, Shift, Slot
from gitbaton.work.state import WorkerState
from gitbaton.work.waiting import Waiting, describe_waiting, holds_up, pause_between_looks

_UPKEEP = 20.0  # seconds between rounds of upkeep, less for leases shorter than a minute
_UPKEEP_LEAST = 1.0
_TICK = 0.2


class Worker:
    """Works until it is told to stop, or until there is nothing left (``Shift``)."""

    def __init__(
        self,
        queue: Queue,
        shift: Shift,
        slot: Slot,
        chores: Chores,
        *,
        company: Company,
        clock: Clock,
        rng: random.Random,
        listener: Listener,
        reception: Reception | None = None,
    ) -> None:
        """Prepare. ``reception`` None: it only pulls, with the capabilities of ``shift``."""
        self._queue = queue
        self._shift = shift
        self._slot = slot
        self._chores = chores
        self._clock = clock
        self._rng = rng
        self._company = company
        self._tell = Teller(listener, clock)
        self._reception = reception or Bare(shift.capabilities)
        self._state = WorkerState()
        self._draining = False
        self._lock = threading.Lock()

    def drain(self) -> None:
        """Claim nothing more; end when the running tasks have ended.

        Like ``stop`` it only sets flags that the loop looks at: signal handlers may call both.
        """
        self._draining = True
        self._company.close()

    def stop(self) -> None:
        """Stop the agents, save their work, release their tasks, end."""
        self._draining = True
        self._slot.stop("the worker was stopped")

    def run(self) -> int:
        """Work, and return how many failed.

        With ``drain`` that is tasks that failed for good meanwhile, anywhere; else attempts of
        this worker. Raises NothingToClaim at once when ``once`` finds no task ready; and, when
        the running tasks have ended, whatever made it impossible to go on.
        """
        try:
            return self._run(self._state)
        finally:
            self._chores.close()

    def _run(self, state: WorkerState) -> int:
        self._tell("started", f"{self._shift.name}: {self._shift.jobs} slot(s)")
        if self._shift.drain:
            state.failed = self._failed(self._queue.view())
        while state.busy or not self._is_over(state):
            self._heed(state)
            self._attend(state)
            self._upkeep(state)
            self._fill(state)
            self._collect(state)
        if not isinstance(state.trouble, NothingToClaim):
            self._finish()
        if state.trouble is not None:
            raise state.trouble
        failed = self._count_failed(state)
        self._tell("ended", f"{state.good} finished, {state.bad} failed or given back")
        return failed

    # --- for its reception

    @property
    def at_work(self) -> tuple[str, ...]:
        """What the slots do now. From any thread."""
        return tuple(self._state.names.copy().values())

    @property
    def free(self) -> int:
        """How many slots have nothing to do."""
        return self._shift.jobs - len(self._state.busy)

    @property
    def draining(self) -> bool:
        """Whether it takes nothing more. From any thread."""
        return self._is_over(self._state)

    def engage(self, task: str) -> None:
        """Claim this task now, and start on it in a free slot. Raises as ``Queue.claim``."""
        number = self._free_slots()[0]
        claimant = self._claimant(number)
        [claimed] = self._queue.claim(claimant, ids=[task], lease=self._shift.lease)
        self._state.quiet, self._state.told = 0, None
        self._start(self._state, claimed, number)

    def lend(self, name: str, errand: Errand) -> None:
        """Run ``errand``, which is no task, in a free slot."""
        number = self._free_slots()[0]
        self._occupy(self._state, number, name, lambda: errand(number))

    # --- one turn of the loop

    def _is_over(self, state: WorkerState) -> bool:
        once = self._shift.once and state.claimed > 0
        return self._draining or once or state.over or state.trouble is not None

    def _heed(self, state: WorkerState) -> None:
        if self._draining and not state.told_to_drain:
            state.told_to_drain = True
            self._tell("draining", "finishing the running tasks; once more to stop them")

    def _upkeep(self, state: WorkerState) -> None:
        now = self._clock.elapsed()
        if now < state.upkeep_due:
            return
        # A reaper counts a third of a lease between two looks at most.
        every = min(_UPKEEP, max(_UPKEEP_LEAST, self._shift.lease / 3))
        state.upkeep_due = now + every * self._rng.uniform(0.8, 1.0)
        try:
            self._chores.run(urgent=state.hungry)
            state.hungry = False
        except BatonError as error:
            self._tell("notice", f"upkeep: {error.message}")

    def _attend(self, state: WorkerState) -> None:
        try:
            self._reception.attend(self)
        except BatonError as error:
            state.trouble = state.trouble or error

    def _fill(self, state: WorkerState) -> None:
        """Claim for all free slots in one push, once others that are about to end are free too."""
        while not self._is_over(state) and len(state.busy) < self._shift.jobs:
            now = self._clock.elapsed()
            if now < state.poll_due or self._company.claim_wait(now - state.free_since) > 0:
                return
            if self._reception.words() is None:
                return
            free = self._free_slots()
            seats = {self._agent(n): n for n in (free[:1] if self._shift.once else free)}
            try:
                won = self._queue.claim(
                    [self._claimant(n) for n in seats.values()], lease=self._shift.lease
                )
            except BatonError as error:
                self._nothing(state, error)
                return
            state.quiet, state.told = 0, None
            for claimed in won:
                assert claimed.task.claim is not None, "a task just claimed has its claim"
                self._start(state, claimed, seats[claimed.task.claim.agent])

    def _start(self, state: WorkerState, claimed: Claimed, number: int) -> None:
        self._tell(
            "claimed",
            claimed.task.title,
            slot=number,
            task=claimed.task.id,
            epoch=claimed.token.epoch,
        )

        def work() -> None:
            good = False
            try:
                good = self._slot.run(claimed, number)
            except BatonError as error:
                state.trouble = state.trouble or error
            with self._lock:
                state.good += good
                state.bad += not good
                if not good:
                    state.ended_in_vain(claimed.task.id)

        self._company.begin(number)
        self._occupy(state, number, claimed.task.id, work)

    def _occupy(self, state: WorkerState, number: int, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=f"slot-{number}")
        state.busy[number], state.names[number] = thread, name
        thread.start()

    def _free_slots(self) -> list[int]:
        return [n for n in range(1, self._shift.jobs + 1) if n not in self._state.busy]

    def _collect(self, state: WorkerState) -> None:
        """Free the slots whose work has ended; wait a moment when nothing has."""
        ended = [n for n, thread in state.busy.items() if not thread.is_alive()]
        for number in ended:
            state.busy.pop(number).join()
            state.names.pop(number)
            self._company.leave(number)
        if ended:
            now = state.free_since = self._clock.elapsed()
            with self._lock:
                state.poll_due, state.futile = now + state.futile, 0.0
            state.upkeep_due = min(state.upkeep_due, now + _UPKEEP_LEAST)
        elif state.busy or not self._is_over(state):
            self._clock.sleep(_TICK)

    # --- when nothing was claimed

    def _nothing(self, state: WorkerState, error: BatonError) -> None:
        """Decide what a claim that won nothing means: the end, or another look later."""
        # A host that let us in before may only be limiting rates: then it is asked again later.
        shut_out = isinstance(error, HostRefused) and not state.claimed
        if self._shift.once or isinstance(error, InvalidInput) or shut_out:
            state.trouble = error
            return
        waiting = Waiting(error.message)
        if isinstance(error, NothingToClaim):
            try:
                waiting = self._look(state)
            except BatonError as away:
                waiting = Waiting(away.message)
        elif isinstance(error, OutcomeUnknown):
            waiting = Waiting(f"a claim whose fate is unknown was given up: {error.message}")
        self._say_waiting(state, waiting)
        state.hungry = state.hungry or not state.quiet
        state.quiet += 1
        calm = not state.busy and not self._shift.drain
        longest = pause_between_looks(state.quiet if calm else 0)
        state.poll_due = self._clock.elapsed() + self._rng.uniform(0.5, 1.0) * longest

    def _look(self, state: WorkerState) -> Waiting:
        """Return what is being waited for; a worker that drains may see that it is over."""
        view = self._queue.view()
        readiness = Readiness(view, self._queue.gatekeeper, self._claimant(1))
        if self._shift.drain and not state.busy:
            state.over = not holds_up(view, readiness)
        return describe_waiting(view, readiness)

    def _say_waiting(self, state: WorkerState, waiting: Waiting) -> None:
        news = waiting.marks or waiting.text
        if state.busy or news == state.told:
            return
        state.told = news
        self._tell("waiting", waiting.text)

    # --- at the end

    def _finish(self) -> None:
        try:
            self._chores.finish()
        except BatonError as error:
            self._tell("notice", f"upkeep: {error.message}")

    def _count_failed(self, state: WorkerState) -> int:
        if not self._shift.drain:
            return state.bad
        try:
            return len(self._failed(self._queue.view()) - state.failed)
        except BatonError:
            return state.bad

    @staticmethod
    def _failed(view: View) -> frozenset[tuple[str, int]]:
        tasks = view.tasks.values()
        return frozenset((t.id, t.epoch) for t in tasks if t.status is Status.FAILED)

    # --- names

    def _agent(self, number: int) -> str:
        return f"{self._shift.name}#{number}"

    def _claimant(self, number: int) -> Claimant:
        return Claimant(
            agent=self._agent(number),
            worker=self._shift.name,
            machine=self._shift.machine,
            capabilities=self._reception.words() or frozenset(),
        )
