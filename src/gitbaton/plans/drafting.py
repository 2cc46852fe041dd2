"""What a phase becomes: the draft of a task (pure). The table is in docs/design/plans.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from gitbaton.core.ids import TaskId, task_id
from gitbaton.plans.model import Header, Phase, Plan
from gitbaton.plans.words import pin_word, toolchain_word
from gitbaton.tasks.deliverables import files_text
from gitbaton.tasks.drafts import Draft, compose
from gitbaton.tasks.model import Task
from gitbaton.tasks.settings import QueueSettings

_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)


def task_of(plan: str, phase: str) -> TaskId:
    """Return the id of the task that ``phase`` of ``plan`` becomes; raise InvalidInput."""
    return task_id(f"{plan}.{phase}")


def draft_phase(header: Header, phase: Phase, *, toolchain: bool) -> Draft:
    """Return the draft of the task. ``toolchain``: whether the plan requires tools."""
    words = [*phase.requires]
    words += [pin_word(phase.worker)] if phase.worker is not None else []
    words += [toolchain_word(header.name)] if toolchain else []
    return Draft(
        id=task_of(header.name, phase.id),
        plan=header.name,
        title=phase.title,
        body=phase.prompt,
        deliverable=deliverable_text(phase.deliverable),
        needs=tuple(task_of(header.name, need) for need in phase.needs),
        requires=tuple(words),
        checks=tuple(dict.fromkeys((*header.checks, *phase.checks))),
        paths=phase.paths,
        branch=phase.branch,
        target=header.target,
        priority=phase.priority,
        gate=phase.gate,
        timeout=_plain(header.timeout if phase.timeout is None else phase.timeout),
        max_attempts=header.max_attempts if phase.max_attempts is None else phase.max_attempts,
    )


def draft_plan(plan: Plan) -> list[Draft]:
    """Return the drafts of all phases, in the order of the file."""
    return [draft_phase(plan.plan, phase, toolchain=bool(plan.toolchain)) for phase in plan.phases]


def preview(plan: Plan) -> Mapping[TaskId, Task]:
    """Return the tasks as they would be added, under their phases' ids, for drawing.

    Needs that other needs include already are left out: what remains tells the same.
    """
    from gitbaton.plans.graph import Graph

    kept = Graph({phase.id: phase.needs for phase in plan.phases}).reduced()
    return {
        TaskId(phase.id): compose(
            Draft(title=phase.title, needs=kept[phase.id]),
            TaskId(phase.id),
            settings=QueueSettings(""),
            by="",
            now=_ANY_TIME,
        )
        for phase in plan.phases
    }


def _plain(seconds: float | None) -> float | None:
    """Return a duration of the file's model as tasks keep it."""
    return None if seconds is None else float(seconds)


def deliverable_text(deliverable: str | Iterable[str]) -> str:
    """Return a deliverable as the task keeps it."""
    return deliverable if isinstance(deliverable, str) else files_text(deliverable)
