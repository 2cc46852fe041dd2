"""What a plan file asks of the tasks that are there already (pure).

The table is in docs/design/plans.md, section 5: what is running or finished is never touched.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gitbaton.core.errors import TaskExists
from gitbaton.core.ids import TaskId
from gitbaton.plans.drafting import draft_plan
from gitbaton.plans.model import Plan
from gitbaton.tasks.circles import find_cycle
from gitbaton.tasks.drafts import EDITABLE, Draft
from gitbaton.tasks.model import Status, Task

_OPEN_TO_CHANGE: Final = (Status.PENDING, Status.BLOCKED, Status.FAILED)
_NOT_OURS: Final = frozenset({"labels", "external_ref"})  # a plan says nothing of them
_FIELDS: Final = sorted(EDITABLE - _NOT_OURS)


@dataclass(frozen=True, slots=True)
class Drift:
    """A phase whose task is not what the file says, and is left so. ``next``: for people."""

    task: TaskId
    text: str
    next: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What has to be done for the tasks to be what the file says, and what cannot be done."""

    add: Sequence[Draft] = ()
    edit: Mapping[TaskId, Mapping[str, Any]] = field(default_factory=dict)
    drift: Sequence[Drift] = ()

    @property
    def none(self) -> bool:
        """Whether there is nothing to do."""
        return not self.add and not self.edit


def reconcile(
    plan: Plan,
    tasks: Mapping[TaskId, Task],
    *,
    usual_attempts: int,
    usual_timeout: float | None = None,
) -> Changes:
    """Return what ``plan`` asks of ``tasks`` (all there are).

    ``usual_attempts``, ``usual_timeout``: what a task has whose phase says none. Done twice, the
    second time finds nothing to do. Raises TaskExists for a task of a phase's name that is not
    this plan's.
    """
    usual = {"max_attempts": usual_attempts, "timeout": usual_timeout}
    drafts = {_id(draft): _with(draft, usual) for draft in draft_plan(plan)}
    for id in drafts:
        if id in tasks and tasks[id].plan != plan.name:
            raise TaskExists(id)
    edit: dict[TaskId, Mapping[str, Any]] = {}
    drift: list[Drift] = []
    for id, draft in drafts.items():
        task = tasks.get(id)
        changes = _difference(draft, task) if task is not None else {}
        if task is None or not changes:
            continue
        if task.status in _OPEN_TO_CHANGE:
            edit[id] = changes
        else:
            drift.append(_left(task, sorted(changes)))
    drift += _removed(plan, tasks, set(drafts))
    add = [draft for id, draft in drafts.items() if id not in tasks]
    return _without_circles(Changes(add, edit, drift), tasks)


def _id(draft: Draft) -> TaskId:
    return TaskId(draft.id or "")


def _with(draft: Draft, usual: Mapping[str, Any]) -> Draft:
    """Return ``draft`` with what it leaves open."""
    open_ = {name: value for name, value in usual.items() if getattr(draft, name) is None}
    return dataclasses.replace(draft, **open_)


def _difference(draft: Draft, task: Task) -> dict[str, Any]:
    wanted = {name: getattr(draft, name) for name in _FIELDS}
    return {name: value for name, value in wanted.items() if getattr(task, name) != value}


def _left(task: Task, fields: Sequence[str]) -> Drift:
    text = f"the file changed ({', '.join(fields)}), and the task is {task.status}"
    again = task.status in (Status.DONE, Status.CANCELLED)
    return Drift(task.id, text, f"baton {'retry' if again else 'show'} {task.id}")


def _removed(plan: Plan, tasks: Mapping[TaskId, Task], wanted: set[TaskId]) -> Iterator[Drift]:
    ended = (Status.DONE, Status.CANCELLED)
    for id, task in sorted(tasks.items()):
        if task.plan == plan.name and id not in wanted and task.status not in ended:
            text = f"it is no longer in the file, and the task is {task.status}"
            yield Drift(id, text, f"baton cancel {id}")


def _without_circles(changes: Changes, tasks: Mapping[TaskId, Task]) -> Changes:
    """Return ``changes`` without the edits of needs that would close a circle with what stays."""
    edit = dict(changes.edit)
    drift = list(changes.drift)
    add = list(changes.add)
    while True:
        needs: dict[str, Sequence[str]] = {id: task.needs for id, task in tasks.items()}
        needs |= {id: change["needs"] for id, change in edit.items() if "needs" in change}
        needs |= {_id(draft): draft.needs for draft in add}
        circle = find_cycle(needs, [*edit, *map(_id, add)])
        if circle is None:
            return Changes(add, edit, drift)
        path = " -> ".join(circle)
        edited = [TaskId(id) for id in circle if "needs" in edit.get(TaskId(id), {})]
        for id in edited[:1]:
            del edit[id]
            text = f"its new needs would go in a circle with what is running: {path}"
            drift.append(Drift(id, text, f"baton show {id}"))
        if not edited:
            return Changes(add, edit, drift)  # a circle that was there before; adding refuses it
