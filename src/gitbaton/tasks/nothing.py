"""Why nothing was claimed, told so that people know what to do (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from gitbaton.core.errors import BatonError, DamagedRecord, NothingToClaim, UnknownTask
from gitbaton.core.ids import TaskId
from gitbaton.tasks.machine import OPEN
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.readiness import Obstacle, Readiness
from gitbaton.tasks.reservations import PATHS_KEY
from gitbaton.tasks.view import View

_DOCTOR: Final = "baton doctor"


def nothing_to_claim(
    view: View,
    readiness: Readiness,
    ids: Sequence[str],
    candidates: Sequence[Task],
    *,
    damage: str | None,
    stuck: Mapping[TaskId, str],
) -> BatonError:
    """Return the error for a claim of ``ids`` (none: of anything) that found nothing to take.

    ``candidates``: the ready ones that could not be tried, since their paths are reserved, or the
    record of reservations cannot be read because of ``damage``. ``stuck``: the ready ones that
    cannot be written, and why.
    """
    if candidates and damage is not None:
        return DamagedRecord(
            f"no task with paths can be claimed: {PATHS_KEY} is damaged ({damage})", next=_DOCTOR
        )
    if stuck:
        id, why = next(iter(stuck.items()))
        return NothingToClaim("lost", f"task {id!r} cannot be written: {why}", next=_DOCTOR)
    if ids:
        return _named(view, readiness, ids)
    if candidates:
        return NothingToClaim(
            "waiting",
            f"{len(candidates)} ready, but their paths are reserved",
            next=f"baton why {candidates[0].id}",
        )
    open_tasks = sum(task.status in OPEN for task in view.live.values())
    if view.has_parked:
        open_tasks += sum(task.id not in view.live for task in view.pending)
    if not open_tasks:
        return NothingToClaim("empty", "there is no open task", next="baton add TITLE")
    return NothingToClaim("waiting", f"{open_tasks} open, none is ready", next="baton status")


def waiting(task: Task, obstacles: Sequence[Obstacle]) -> NothingToClaim:
    """Return the error for a named task that is not ready."""
    texts = "; ".join(obstacle.text for obstacle in obstacles) or "its paths are reserved"
    then = next((o.next for o in obstacles if o.next), f"baton why {task.id}")
    return NothingToClaim("waiting", f"task {task.id!r} is not ready: {texts}", next=then)


def _named(view: View, readiness: Readiness, ids: Sequence[str]) -> BatonError:
    """Return the error for named tasks: one is missing, or held, or the first is not ready."""
    try:
        tasks = [view.find(id) for id in ids]
    except (UnknownTask, DamagedRecord) as error:
        return error
    for task in tasks:
        if task.status is Status.IN_PROGRESS:
            held = readiness.obstacles(task)[0]
            return NothingToClaim("held", f"task {task.id!r}: {held.text}", next=held.next)
    return waiting(tasks[0], readiness.obstacles(tasks[0]))
