"""What is followed of a plan: its phases as tasks, what they need, how heavy they are (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gitbaton.core.ids import TaskId
from gitbaton.plans.announcement import Announcement
from gitbaton.plans.drafting import task_of
from gitbaton.plans.graph import Graph
from gitbaton.plans.model import Plan
from gitbaton.plans.weights import is_weighed, weigh
from gitbaton.tasks.machine import FINISHED
from gitbaton.tasks.model import Task


@dataclass(frozen=True)
class Chart:
    """The phases of plan ``name``, in the order of its file, under their tasks' ids.

    ``weights``: seconds where ``weighed``, else each counts 1.
    """

    name: str
    phases: Sequence[TaskId]
    needs: Mapping[TaskId, Sequence[TaskId]]
    weights: Mapping[TaskId, float]
    weighed: bool

    @cached_property
    def tails(self) -> Mapping[TaskId, float]:
        """The weight of the heaviest chain that begins with each phase."""
        return _named(_graph(self.phases, self.needs).tails(_plain(self.weights)))

    def path_left(self, tasks: Mapping[TaskId, Task]) -> tuple[list[TaskId], float]:
        """Return the heaviest chain of phases that are not finished, and its weight."""
        open_ = [id for id in self.phases if id not in tasks or tasks[id].status not in FINISHED]
        path = _graph(open_, self.needs).critical_path(_plain(self.weights))
        return [TaskId(id) for id in path], sum(self.weights[TaskId(id)] for id in path)


def chart_of_plan(plan: Plan) -> Chart:
    """Return the chart of a plan file."""
    tasks = {phase.id: task_of(plan.name, phase.id) for phase in plan.phases}
    return Chart(
        plan.name,
        tuple(tasks.values()),
        {tasks[phase.id]: tuple(tasks[need] for need in phase.needs) for phase in plan.phases},
        {tasks[id]: weight for id, weight in weigh(plan).items()},
        is_weighed(plan),
    )


def chart_of_record(plan: Announcement, tasks: Mapping[TaskId, Task]) -> Chart:
    """Return the chart of a plan of which only the record and the tasks are known.

    Estimates are in the file alone, so a phase weighs its timeout, else the mean of the others.
    """
    phases = tuple(task_of(plan.name, phase) for phase in plan.phases)
    known = {id: tasks[id].timeout for id in phases if id in tasks}
    timeouts = {id: timeout for id, timeout in known.items() if timeout is not None}
    usual = sum(timeouts.values()) / len(timeouts) if timeouts else 1.0
    return Chart(
        plan.name,
        phases,
        {id: tasks[id].needs for id in phases if id in tasks},
        {id: timeouts.get(id, usual) for id in phases},
        bool(timeouts),
    )


def _graph(phases: Sequence[TaskId], needs: Mapping[TaskId, Sequence[TaskId]]) -> Graph:
    """Return the graph of ``phases``; one without needs where a hand-made edit closed a circle."""
    try:
        return Graph({id: needs.get(id, ()) for id in phases})
    except ValueError:
        return Graph(dict.fromkeys(phases, ()))


def _named(weights: Mapping[str, float]) -> dict[TaskId, float]:
    return {TaskId(id): weight for id, weight in weights.items()}


def _plain(weights: Mapping[TaskId, float]) -> dict[str, float]:
    return {str(id): weight for id, weight in weights.items()}
