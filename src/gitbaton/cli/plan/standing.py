"""Shows where a plan stands: how far, the critical path, who runs what, what waits for what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from gitbaton.cli.output import Cell, Output
from gitbaton.cli.plan.showing import WIDTH, fit, wrap_chain
from gitbaton.cli.taskview import status_cell
from gitbaton.core.clock import parse_rfc3339
from gitbaton.core.durations import format_duration
from gitbaton.core.ids import TaskId
from gitbaton.orchestration.look import Look
from gitbaton.tasks.machine import FINISHED
from gitbaton.tasks.model import Status, Task

_BAR: Final = 30  # columns
_NAME: Final = 24  # columns; a longer name would leave no room for who and why


def status_document(look: Look, *, in_force: bool | None) -> dict[str, Any]:
    """Return where the plan stands, as JSON shows it. ``in_force``: whether the file is."""
    chart, standing, plan = look.chart, look.standing, look.plan
    path, left = chart.path_left(look.view.tasks)
    return {
        "plan": chart.name,
        "revision": plan.revision if plan else None,
        "by": plan.by if plan else None,
        "at": plan.at if plan else None,
        "in_force": in_force,
        "verdict": str(standing.verdict),
        "done": standing.done,
        "total": standing.total,
        "counts": standing.counts,
        "critical_path": path,
        "remaining": left if chart.weighed else None,
        "phases": [_phase(look, id) for id in chart.phases],
        "workers": [
            {"name": hand.name, "slots": hand.slots, "busy": hand.busy, "away": hand.away}
            for hand in look.hands
        ],
    }


def print_status(out: Output, look: Look, now: datetime) -> None:
    """Print the same for people, in 80 columns."""
    chart, standing = look.chart, look.standing
    revision = f", revision {look.plan.revision}" if look.plan else ", not started"
    out.say(f"{chart.name}: {standing.done} of {standing.total} phases done{revision}")
    out.say(fit(_bar(look), WIDTH))
    path, left = chart.path_left(look.view.tasks)
    if path:
        count = f"{len(path)} phase{'s' * (len(path) != 1)}"
        length = format_duration(round(left)) if chart.weighed else count
        out.say(f"critical path, {length} left:")
        for line in wrap_chain([_short(look, id) for id in path], WIDTH):
            out.say(line)
    rows = list(_rows(look, now))
    if rows:
        out.say()
        out.table(("PHASE", "STATUS", "FOR", "WHO OR WHY"), rows)


def why(look: Look, id: TaskId) -> str | None:
    """Return what a phase waits for, or how it ended; None where there is nothing to say."""
    if id in look.standing.people:
        return look.standing.people[id]
    if id in look.schedule.waiting:
        return look.schedule.waiting[id]
    return None if id in look.view.tasks else "it is no task yet"


def _phase(look: Look, id: TaskId) -> dict[str, Any]:
    task = look.view.tasks.get(id)
    claim = task.claim if task else None
    result = task.result if task else None
    return {
        "id": _short(look, id),
        "task": id,
        "title": task.title if task else None,
        "status": str(task.status) if task else None,
        "worker": claim.worker if claim else None,
        "agent": claim.agent if claim else None,
        "machine": claim.machine if claim else None,
        "claimed_at": claim.claimed_at if claim else None,
        "attempts": task.attempts if task else 0,
        "branch": result.branch if result else None,
        "commit": result.commit if result else None,
        "goes_to": _goes_to(look).get(id),
        "why": why(look, id),
    }


def _rows(look: Look, now: datetime) -> Iterator[tuple[Cell, ...]]:
    """Yield a row for each phase that is not done: those at work first, then those that wait."""
    open_ = [task for task in look.phases if task.status is not Status.DONE]
    for task in sorted(open_, key=_rank):
        name, status = fit(_short(look, task.id), _NAME), status_cell(task)
        if task.claim is not None:
            who = f"{task.claim.agent} on {task.claim.machine}"
            yield name, status, _age(task.claim.claimed_at, now), who
        else:
            target = _goes_to(look).get(task.id)
            words = f"goes to {target}" if target else why(look, task.id) or ""
            lasts = "" if task.status is Status.PENDING else _age(task.updated_at, now)
            yield name, status, lasts, words
    for id in look.chart.phases:
        if id not in look.view.tasks:
            yield fit(_short(look, id), _NAME), "-", "", why(look, id) or ""


def _age(moment: str, now: datetime) -> str:
    """Return how long ago that was, in the fewest words. By wall clocks: for people only (I5)."""
    seconds = max(0, int((now - parse_rfc3339(moment)).total_seconds()))
    unit = next((unit for unit in (86400, 3600, 60) if seconds >= 2 * unit), 1)
    return format_duration(seconds - seconds % unit)


def _rank(task: Task) -> int:
    if task.claim is not None:
        return 0
    return 2 if task.status in FINISHED else 1


def _goes_to(look: Look) -> dict[TaskId, str]:
    return {each.task: each.worker for each in look.schedule.assignments}


def _bar(look: Look) -> str:
    counts, total = look.standing.counts, look.standing.total
    full = _BAR * look.standing.done // total if total else 0
    parts = [f"{number} {status}" for status, number in counts.items() if status != Status.DONE]
    share = 100 * look.standing.done // total if total else 0
    return f"[{'#' * full}{'.' * (_BAR - full)}] {share}%  {', '.join(parts)}".rstrip()


def _short(look: Look, id: TaskId) -> str:
    return id.removeprefix(f"{look.chart.name}.")
