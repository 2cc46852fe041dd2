"""One look at everything that matters to a plan, and what to do by it (pure)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from gitbaton.core.ids import TaskId
from gitbaton.orchestration.chart import Chart
from gitbaton.orchestration.standing import Standing, judge
from gitbaton.plans.ability import hand_of
from gitbaton.plans.announcement import Announcement, find_plans
from gitbaton.plans.doorbell import Bell
from gitbaton.plans.registry.registry import Workers
from gitbaton.plans.scheduling import Hand, Scene, Schedule, schedule
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.readiness import Readiness
from gitbaton.tasks.reservations import standing as reservations
from gitbaton.tasks.view import View


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one moment. ``plan``: its record, None if there is none as yet.

    ``schedule``: what to do now, and why the rest waits. ``offered``: open doorbells.
    ``hands``: the workers as the schedule saw them.
    """

    chart: Chart
    plan: Announcement | None
    view: View
    workers: Workers
    standing: Standing
    schedule: Schedule
    offered: Mapping[TaskId, Bell]
    hands: Sequence[Hand]

    @property
    def phases(self) -> list[Task]:
        """The tasks of the phases that are there, in the order of the file."""
        return [task for id in self.chart.phases if (task := self.view.tasks.get(id)) is not None]


def look_at(
    chart: Chart,
    view: View,
    workers: Workers,
    keeper: GateKeeper,
    *,
    offered: Mapping[TaskId, Bell] | None = None,
    declined: Mapping[TaskId, Collection[str]] | None = None,
) -> Look:
    """Return where the plan of ``chart`` stands, and the schedule that follows from it.

    ``offered``: phases that wait for the answer to a doorbell; they keep a place of the worker
    and their paths. ``declined``: see ``Scene``.
    """
    bells = dict(offered or {})
    plans = find_plans(view.snapshot)
    toolchains = {name: plan.toolchain for name, plan in plans.items()}
    running = [task for task in view.live.values() if task.status is Status.IN_PROGRESS]
    hands = [hand_of(seen, toolchains, running) for seen in workers.found.values()]
    held, gates = _held(chart, view, keeper)
    asked = {id: tuple(view.tasks[id].paths) for id in bells if id in view.tasks}
    reserved = {TaskId(each.task): each.paths for each in reservations((), view)}
    made = schedule(
        Scene(
            tasks=view.tasks,
            phases=[id for id in chart.phases if id not in bells],
            hands=[_with_offers(hand, bells) for hand in hands],
            tails=chart.tails,
            held=held,
            reserved={**reserved, **asked},
            declined=declined or {},
        )
    )
    return Look(
        chart,
        plans.get(chart.name),
        view,
        workers,
        judge(chart, view.tasks, gates),
        made,
        bells,
        hands,
    )


def _held(
    chart: Chart, view: View, keeper: GateKeeper
) -> tuple[dict[TaskId, str], dict[TaskId, str]]:
    """Return what keeps phases from starting besides needs and paths, and the closed gates."""
    readiness = Readiness(view, keeper)
    held: dict[TaskId, str] = {}
    gates: dict[TaskId, str] = {}
    for id in chart.phases:
        task = view.tasks.get(id)
        if task is None or task.status is not Status.PENDING:
            continue
        for obstacle in readiness.obstacles(task) if task.gate or task.delay > 0 else ():
            if obstacle.kind in ("gate", "delay"):
                held.setdefault(id, obstacle.text)
            if obstacle.kind == "gate":
                gates[id] = obstacle.text
    return held, gates


def _with_offers(hand: Hand, bells: Mapping[TaskId, Bell]) -> Hand:
    rung = sum(bell.worker == hand.name for bell in bells.values())
    return replace(hand, busy=hand.busy + rung)
