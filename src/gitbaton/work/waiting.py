"""What an idle worker waits for, in words (pure)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gitbaton.tasks.machine import OPEN
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.readiness import Obstacle, Readiness
from gitbaton.tasks.view import View

_NAMED = 3  # tasks whose obstacle is told; the others are counted


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why nothing can be claimed. ``marks`` change when there is something new to tell."""

    text: str
    marks: tuple[tuple[str, ...], ...] = ()


def describe_waiting(view: View, readiness: Readiness) -> Waiting:
    """Return what the open tasks wait for, the pending ones first."""
    open_tasks = [task for task in view.tasks.values() if task.status in OPEN]
    if not open_tasks:
        return Waiting("there is no open task")
    found = [
        (task, obstacles[0])
        for task in open_tasks
        if task.status is Status.PENDING and (obstacles := readiness.obstacles(task))
    ]
    named = [f"{task.id}: {obstacle.text}" for task, obstacle in found[:_NAMED]]
    if len(found) > _NAMED:
        named.append(f"{len(found) - _NAMED} more (baton status)")
    counts = Counter(task.status for task in open_tasks)
    others = [f"{counts[s]} {s}" for s in Status if s is not Status.PENDING and counts[s]]
    # What is counted down is not worth telling again.
    marks = (
        *(_mark(task, obstacle) for task, obstacle in found),
        *((status.value, str(count)) for status, count in sorted(counts.items())),
    )
    text = "; ".join([*named, *others]) or "others took what was ready"
    return Waiting(text, marks)


def holds_up(view: View, readiness: Readiness) -> bool:
    """Tell whether there is work that this worker may still get, or that somebody is at.

    What waits for a person, for somebody with other capabilities or for something that has failed
    will not change by waiting.
    """
    for task in view.tasks.values():
        if task.status is Status.IN_PROGRESS:
            return True
        if task.status is Status.PENDING:
            kinds = {obstacle.kind for obstacle in readiness.obstacles(task)}
            if kinds <= {"delay", "paths"}:
                return True
    return False


def _mark(task: Task, obstacle: Obstacle) -> tuple[str, ...]:
    return (task.id, obstacle.kind, obstacle.about)
