"""What an orchestrator tells: the news between two looks, and what it did itself (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from gitbaton.core.ids import TaskId
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.text import clean_line

Kind: TypeAlias = Literal[
    "announced",  # the plan's record is the file's now
    "superseded",  # a newer file of the plan is in force
    "added",
    "edited",
    "drift",  # a phase that is not what the file says, and is left so
    "rung",  # a doorbell at a worker
    "declined",  # its answer was no
    "started",
    "returned",  # the attempt is over, another one follows
    "done",
    "review",
    "blocked",
    "failed",
    "cancelled",
    "waits",  # for a person
    "reaped",
    "alert",
    "clear",
    "notice",
    "progress",
    "ended",
]


class PlanEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened. ``at``: RFC 3339. ``done`` and ``total`` count phases."""

    kind: Kind
    at: str
    text: str = ""
    task: str | None = None
    worker: str | None = None
    epoch: int | None = None
    branch: str | None = None
    commit: str | None = None
    next: str | None = None
    done: int | None = None
    total: int | None = None


Listener: TypeAlias = Callable[[PlanEvent], None]

_KINDS: Mapping[Status, Kind] = {
    Status.PENDING: "returned",
    Status.IN_PROGRESS: "started",
    Status.REVIEW: "review",
    Status.BLOCKED: "blocked",
    Status.DONE: "done",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
}


def news(before: Mapping[TaskId, Task], after: Sequence[Task], *, at: str) -> Iterator[PlanEvent]:
    """Yield what happened to the tasks that were there ``before``; what was skipped is left out."""
    for task in after:
        old = before.get(task.id)
        if old is None or (old.status, old.epoch) == (task.status, task.epoch):
            continue
        result = task.result
        yield PlanEvent(
            kind=_KINDS[task.status],
            at=at,
            task=task.id,
            text=_about(task),
            worker=task.claim.worker if task.claim else None,
            epoch=task.epoch,
            branch=result.branch if result else None,
            commit=result.commit if result else None,
        )


def _about(task: Task) -> str:
    if task.claim is not None:
        return f"{task.claim.agent} on {task.claim.machine}"
    if task.status in (Status.DONE, Status.REVIEW):
        return f"on {task.result.branch}" if task.result and task.result.branch else ""
    tries = f" (attempt {task.attempts} of {task.max_attempts})" if task.attempts else ""
    return clean_line(task.reason or "", 200) + tries
