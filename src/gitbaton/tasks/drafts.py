"""Drafts and edits: what people write, turned into valid tasks (pure)."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from gitbaton.core.clock import rfc3339
from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import TaskId
from gitbaton.tasks.circles import find_cycle, needs_below
from gitbaton.tasks.model import Task
from gitbaton.tasks.settings import QueueSettings
from gitbaton.tasks.text import clean_line
from gitbaton.tasks.validation import check_fields, convert_task

EDITABLE: Final = frozenset(
    {
        "title",
        "body",
        "priority",
        "needs",
        "requires",
        "paths",
        "checks",
        "gate",
        "labels",
        "target",
        "branch",
        "deliverable",
        "timeout",
        "max_attempts",
        "external_ref",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A task to add. ``id`` None: one is generated. Fields as in `baton add`; seconds."""

    title: str
    id: str | None = None
    body: str = ""
    priority: int = 2
    needs: Sequence[str] = ()
    requires: Sequence[str] = ()
    paths: Sequence[str] = ()
    checks: Sequence[str] = ()
    gate: str | None = None
    labels: Sequence[str] = ()
    timeout: float | None = None
    max_attempts: int | None = None
    target: str | None = None
    branch: str | None = None
    plan: str | None = None
    deliverable: str | None = None
    external_ref: str | None = None


def compose(draft: Draft, id: TaskId, *, settings: QueueSettings, by: str, now: datetime) -> Task:
    """Return the new task that ``draft`` describes; raise InvalidInput naming a wrong field."""
    at = rfc3339(now)
    fields: dict[str, Any] = {name: getattr(draft, name) for name in EDITABLE | {"plan"}}
    if fields["max_attempts"] is None:
        fields["max_attempts"] = settings.max_attempts
    created = {
        "id": id,
        "created_at": at,
        "updated_at": at,
        "created_by": clean_line(by, 100),
    }
    task = convert_task(fields | created)
    check_fields(task)
    return task


def revise(task: Task, changes: Mapping[str, object]) -> dict[str, Any]:
    """Return ``changes`` as fields of ``task``; raise InvalidInput naming a wrong or unknown one.

    An approval is bound to what it approved, so an edit of that voids it by itself.
    """
    for name in changes:
        if name not in EDITABLE:
            raise InvalidInput(name, f"that cannot be edited; what can: {sorted(EDITABLE)}")
    edited = convert_task({**msgspec.structs.asdict(task), **changes})
    check_fields(edited)
    return {name: getattr(edited, name) for name in changes}


def check_needs(
    tasks: Mapping[TaskId, Task],
    new: Mapping[TaskId, Task],
    *,
    damaged: Container[str] = (),
) -> None:
    """Raise InvalidInput when ``new`` tasks need what is not there, or need each other in a circle.

    ``damaged``: ids that exist although nobody can read them. Costs what is needed, not ``tasks``.
    """
    for task in new.values():
        for need in task.needs:
            if need not in new and need not in tasks and need not in damaged:
                raise InvalidInput("needs", f"{task.id!r} needs {need!r}, which does not exist")
    olds = {need for task in new.values() for need in task.needs} - new.keys()
    needs = needs_below(tasks, olds) | {id: task.needs for id, task in new.items()}
    circle = find_cycle(needs, list(new))
    if circle:
        raise InvalidInput("needs", f"they go in a circle: {' -> '.join(circle)}")
