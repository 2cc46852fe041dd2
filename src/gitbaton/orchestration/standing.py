"""Where a plan stands: what is finished, what can never start, who is waited for (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gitbaton.core.ids import TaskId
from gitbaton.orchestration.chart import Chart
from gitbaton.tasks.machine import next_command
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.readiness import is_met
from gitbaton.tasks.text import clean_line

_CALLED_OFF: Final = (Status.FAILED, Status.CANCELLED)


class Verdict(StrEnum):
    """Whether a plan goes on."""

    RUNNING = "running"
    DONE = "done"  # every phase is
    STUCK = "stuck"  # what is not finished waits for something that failed or was called off


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a plan stands. ``doomed``: pending phases and what they wait for in vain.

    ``people``: what waits for a person, a sentence for each phase.
    """

    verdict: Verdict
    counts: Mapping[str, int]
    doomed: Mapping[TaskId, TaskId]
    people: Mapping[TaskId, str]

    @property
    def done(self) -> int:
        """How many phases are done."""
        return self.counts.get(Status.DONE, 0)

    @property
    def total(self) -> int:
        """How many phases there are."""
        return sum(self.counts.values())


def judge(chart: Chart, tasks: Mapping[TaskId, Task], gates: Mapping[TaskId, str]) -> Standing:
    """Return where the plan stands. ``gates``: why the gates of pending phases are closed."""
    found = [tasks.get(id) for id in chart.phases]
    counts = Counter("absent" if task is None else str(task.status) for task in found)
    doomed = _doomed(chart.phases, tasks)
    return Standing(
        _verdict(found, doomed), counts, doomed, dict(_people(found, tasks, doomed, gates))
    )


def _verdict(found: Sequence[Task | None], doomed: Mapping[TaskId, TaskId]) -> Verdict:
    if all(task is not None and task.status is Status.DONE for task in found):
        return Verdict.DONE
    over = (Status.DONE, *_CALLED_OFF)
    if all(task is not None and (task.status in over or task.id in doomed) for task in found):
        return Verdict.STUCK
    return Verdict.RUNNING


def _doomed(phases: Sequence[TaskId], tasks: Mapping[TaskId, Task]) -> dict[TaskId, TaskId]:
    """Return the pending phases that a failed or cancelled task holds up, and which one."""
    dependents: dict[TaskId, list[TaskId]] = {}
    for id in phases:
        if id in tasks and tasks[id].status is Status.PENDING:
            for need in tasks[id].needs:
                dependents.setdefault(need, []).append(id)
    doomed: dict[TaskId, TaskId] = {}
    todo = [(id, id) for id in dependents if id in tasks and tasks[id].status in _CALLED_OFF]
    while todo:
        id, cause = todo.pop()
        for dependent in dependents.get(id, ()):
            if dependent not in doomed:
                doomed[dependent] = cause
                todo.append((dependent, cause))
    return doomed


def _people(
    found: Sequence[Task | None],
    tasks: Mapping[TaskId, Task],
    doomed: Mapping[TaskId, TaskId],
    gates: Mapping[TaskId, str],
) -> Iterator[tuple[TaskId, str]]:
    for task in found:
        if task is None:
            continue
        then = f"; next: {next_command(task)}"
        reason = f": {clean_line(task.reason, 120)}" if task.reason else ""
        if task.status is Status.BLOCKED or task.status in _CALLED_OFF:
            yield task.id, f"{task.status}{reason}{then}"
        elif task.status is Status.REVIEW:
            yield task.id, f"in review{then}"
        elif task.id in gates and task.id not in doomed and _is_next(task, tasks):
            yield task.id, f"{gates[task.id]}; next: baton approve {task.id}"


def _is_next(task: Task, tasks: Mapping[TaskId, Task]) -> bool:
    return all(need in tasks and is_met(tasks[need]) for need in task.needs)
