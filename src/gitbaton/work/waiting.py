"""What an idle worker waits for, in words (pure)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gitbaton.tasks.machine import OPEN
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.readiness import Obstacle, Readiness
from gitbaton.tasks.view import View

_NAMED = 3  # tasks whose obstacle is told; the others are counted
_POLL = 2.0  # seconds between looks when there is a free slot and nothing to claim
_POLL_LIMIT = 20.0  # the same after long idleness
_POLL_STEPS = 20  # looks until then at most; a worker may be idle for weeks
_LOOKED_AT = 100  # pending tasks whose obstacles are looked for


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why nothing can be claimed. ``marks`` change when there is something new to tell."""

    text: str
    marks: tuple[tuple[str, ...], ...] = ()


def describe_waiting(view: View, readiness: Readiness) -> Waiting:
    """Return what the open tasks wait for, the pending ones first.

    Of a long backlog the first ones are looked at; the others are counted.
    """
    pending = view.pending
    counts = Counter(task.status for task in view.live.values() if task.status in OPEN)
    if not pending and not counts:
        return Waiting("there is no open task")
    found = [
        (task, obstacles[0])
        for task in pending[:_LOOKED_AT]
        if (obstacles := readiness.obstacles(task))
    ]
    named = [f"{task.id}: {obstacle.text}" for task, obstacle in found[:_NAMED]]
    others = len(found) - len(named) + max(0, len(pending) - _LOOKED_AT)
    if others:
        named.append(f"{others} more (baton status)")
    counts[Status.PENDING] = len(pending)
    busy = [f"{counts[s]} {s}" for s in Status if s is not Status.PENDING and counts[s]]
    # What is counted down is not worth telling again.
    marks = (
        *(_mark(task, obstacle) for task, obstacle in found),
        *((status.value, str(count)) for status, count in sorted(counts.items())),
    )
    text = "; ".join([*named, *busy]) or "others took what was ready"
    return Waiting(text, marks)


def pause_between_looks(quiet: int) -> float:
    """Return how many seconds a worker waits that has found nothing ``quiet`` times in a row."""
    return min(_POLL * 1.3 ** min(quiet, _POLL_STEPS), _POLL_LIMIT)


def holds_up(view: View, readiness: Readiness) -> bool:
    """Tell whether there is work that this worker may still get, or that somebody is at.

    What waits for a person, for somebody with other capabilities or for something that has failed
    will not change by waiting.
    """
    if any(task.status is Status.IN_PROGRESS for task in view.live.values()):
        return True
    return any(readiness.kinds(task) <= {"delay", "paths"} for task in view.pending)


def _mark(task: Task, obstacle: Obstacle) -> tuple[str, ...]:
    return (task.id, obstacle.kind, obstacle.about)
