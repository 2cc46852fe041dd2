"""The orchestrator: reconciles, looks, schedules, rings, reaps, waits, and begins again.

What it knows beyond the records (whom it rang, what it told) it may forget at any moment: another
one, started at the same time or later or elsewhere, goes on from the records (I4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.errors import RemoteUnreachable
from gitbaton.core.ids import TaskId, new_nonce
from gitbaton.orchestration.aligning import Aligner, Terms
from gitbaton.orchestration.chart import Chart, chart_of_plan, chart_of_record
from gitbaton.orchestration.events import Kind, Listener, PlanEvent, news
from gitbaton.orchestration.look import Look, look_at
from gitbaton.orchestration.offers import Offers
from gitbaton.orchestration.proclaiming import proclaim, read_plan_record
from gitbaton.orchestration.ringing import Ringer
from gitbaton.orchestration.standing import Standing, Verdict
from gitbaton.plans.announcement import digest_of
from gitbaton.plans.doorbell import Bell, Reply
from gitbaton.plans.model import Plan
from gitbaton.plans.registry.registry import Registry
from gitbaton.plans.scheduling import Assignment
from gitbaton.store.model import Actor
from gitbaton.store.protocol import Store
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.queue import Queue
from gitbaton.tasks.view import View

_TRIES: Final = 12
_SHARE: Final = 4.0  # looks in the shortest lease
_BUSIEST: Final = 1.0  # seconds
_LAZIEST: Final = 15.0  # a look asks for refs only; people and phases that got ready wait for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an orchestrator works with.

    ``upkeep``: what is done after each look, besides reaping; it returns sentences to tell.
    """

    store: Store
    queue: Queue
    registry: Registry
    ringer: Ringer
    clock: Clock
    actor: Actor
    terms: Terms
    upkeep: Callable[[Look], Iterable[str]] = lambda look: ()


class Orchestrator:
    """Runs ``plan``, whose file is ``data``. ``every``: seconds between looks; None: by leases."""

    def __init__(
        self,
        plan: Plan,
        data: bytes,
        around: Surroundings,
        listener: Listener,
        *,
        every: float | None = None,
    ) -> None:
        self._plan, self._data, self._around = plan, data, around
        self._listener = listener
        self._every = every
        self._digest = digest_of(data)
        self._file_chart = chart_of_plan(plan)
        self._aligner = Aligner(plan, around.queue, around.terms, self, actor=around.actor)
        self._offers = Offers()
        self._mark = new_nonce()[:8]  # in the bells that it rings anew
        self._before: Mapping[TaskId, Task] | None = None
        self._progress: tuple[int, int] | None = None
        self._told: set[tuple[Kind, str, str]] = set()

    def run(
        self, wait: Callable[[float], object], seen: Callable[[Look], object] = lambda look: None
    ) -> Verdict:
        """Go on until the plan is finished, or cannot go on; ``wait`` returns early on news.

        ``seen`` is shown each look. While the remote is away this says so and tries again. Raises
        what ``start`` raises.
        """
        self.start()
        while True:
            pause = self._every or _LAZIEST
            try:
                look = self.step()
                seen(look)
                if look.standing.verdict is not Verdict.RUNNING:
                    self._tell("ended", _last_words(look.standing))
                    return look.standing.verdict
                pause = self._interval(look.view)
            except RemoteUnreachable as error:
                self._once("notice", "", f"{error.message}; trying again")
            wait(pause)

    def start(self) -> None:
        """Announce the plan. Raises TaskExists for a phase whose task is not the plan's.

        Then nothing was written. Raises as ``Store.commit``, and DamagedRecord.
        """
        around = self._around
        self._aligner.compare(around.queue.view())
        written = proclaim(
            around.store, self._plan, self._data, actor=around.actor, clock=around.clock
        )
        if written is not None:
            self._tell("announced", f"revision {written.revision}")

    def step(self) -> Look:
        """Do one round and return what was seen at its end. Raises as ``Queue``."""
        view = self._aligned()
        self._reap(view)
        around = self._around
        now = around.clock.elapsed()
        answers = around.ringer.answers()
        for bell, answer in answers:
            if answer.reply in (Reply.REFUSED, Reply.BUSY):
                self._tell("declined", answer.reason, task=bell.task, worker=bell.worker)
        workers = around.registry.sighted_in(view.snapshot)
        beats = {name: seen.version for name, seen in workers.found.items() if seen.available}
        self._offers.settle(view.tasks, answers, now, interval=self._interval(view), beats=beats)
        look = look_at(
            self._chart(view),
            view,
            workers,
            around.queue.gatekeeper,
            offered=self._offers.open,
            declined=self._offers.declined(now, beats),
        )
        self._tell_news(look)
        self._ring(look)
        for text in (*around.ringer.troubles(), *around.upkeep(look)):
            self._tell("notice", text)
        return look

    # --- plan and tasks

    def _is_in_force(self, view: View) -> bool:
        record = read_plan_record(view.snapshot, self._plan.name)
        if record is not None and record.digest != self._digest:
            text = f"revision {record.revision} by {record.by} is in force; this file only watches"
            self._once("superseded", "", text)
            return False
        return record is not None

    def _chart(self, view: View) -> Chart:
        record = read_plan_record(view.snapshot, self._plan.name)
        if record is None or record.digest == self._digest:
            return self._file_chart
        return chart_of_record(record, view.tasks)

    def _aligned(self) -> View:
        """Make the tasks what the file says, while it is in force; return a view of after it."""
        queue = self._around.queue
        view = queue.view()
        for _ in range(_TRIES):
            if not self._is_in_force(view) or not self._aligner.align(view):
                break
            view = queue.view()
        return view  # if others keep changing the tasks: on with what is there, and again later

    def _reap(self, view: View) -> None:
        if not any(task.status is Status.IN_PROGRESS for task in view.live.values()):
            return
        for reaped in self._around.queue.reap():
            self._tell("reaped", reaped.reason, task=reaped.before.id)

    # --- the doorbells

    def _ring(self, look: Look) -> None:
        """Ring for what was scheduled, and take back what is no longer offered."""
        ringer = self._around.ringer
        ringer.keep(frozenset(self._offers.open.values()))
        for assignment in look.schedule.assignments:
            address = look.workers.found[assignment.worker].worker.address
            if address is None:
                continue  # it pulls
            epoch = look.view.tasks[assignment.task].epoch
            bell = self._bell(assignment, epoch)
            self._offers.make(bell, self._around.clock.elapsed())
            ringer.ring(bell, address)
            self._tell("rung", "", task=bell.task, worker=bell.worker, epoch=epoch)

    def _bell(self, assignment: Assignment, epoch: int) -> Bell:
        """Return the bell to ring: a copy of it would be answered with the first answer."""
        task, worker = assignment.task, assignment.worker
        times = self._offers.times(task, epoch, worker)
        again = f"{self._mark}.{times}" if times else ""
        return Bell(self._plan.name, task, epoch, worker, again)

    def _interval(self, view: View) -> float:
        """Return how many seconds apart to look."""
        if self._every is not None:
            return self._every
        claims = (task.claim for task in view.live.values())
        leases = [claim.lease for claim in claims if claim is not None]
        shortest = min([self._around.terms.lease, *leases])
        return min(max(shortest / _SHARE, _BUSIEST), _LAZIEST)

    # --- what is told

    def _tell_news(self, look: Look) -> None:
        at = rfc3339(self._around.clock.now())
        phases = look.phases
        for event in news(self._before or {}, phases, at=at):
            self._listener(event)
        self._before = {task.id: task for task in phases}
        for id, text in look.standing.people.items():
            self._once("waits", id, text)
        progress = look.standing.done, look.standing.total
        if progress != self._progress:
            self._progress = progress
            done, total = progress
            self._listener(PlanEvent(kind="progress", at=at, done=done, total=total))

    def added(self, count: int) -> None:
        self._tell("added", f"{count} phase{'s' * (count != 1)}")

    def edited(self, task: TaskId, fields: list[str]) -> None:
        self._tell("edited", ", ".join(fields), task=task)

    def left(self, task: TaskId, text: str, next: str | None) -> None:
        self._once("drift", task, text, next=next)

    def _once(self, kind: Kind, task: str, text: str, *, next: str | None = None) -> None:
        if (kind, task, text) not in self._told:
            self._told.add((kind, task, text))
            self._tell(kind, text, task=task or None, next=next)

    def _tell(self, kind: Kind, text: str, **fields: Any) -> None:
        at = rfc3339(self._around.clock.now())
        self._listener(PlanEvent(kind=kind, at=at, text=text, **fields))


def _last_words(standing: Standing) -> str:
    if standing.verdict is Verdict.DONE:
        return f"all {standing.total} phases are done"
    off = standing.counts.get(Status.FAILED, 0) + standing.counts.get(Status.CANCELLED, 0)
    behind = len(standing.doomed)
    words = f"{standing.done} of {standing.total} done, {off} failed or cancelled"
    return words + (f", {behind} waiting for those" if behind else "")
