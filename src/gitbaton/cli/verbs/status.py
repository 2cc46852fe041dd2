"""``baton status``: shows who does what, and since when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from gitbaton.app import App
from gitbaton.cli.offline import count_waiting
from gitbaton.cli.output import Cell, Output
from gitbaton.cli.request import Request
from gitbaton.cli.taskjson import claim_part
from gitbaton.cli.taskview import since
from gitbaton.cli.verb import verb
from gitbaton.core.durations import format_duration
from gitbaton.tasks.budget import PushBudget, heartbeat_load
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.overdue import find_overdue
from gitbaton.tasks.view import View


@verb("status")
def command(request: Request) -> None:
    """Show who does what, since when, and how long each lease has."""
    app = request.app
    view = app.queue.view()
    counts = Counter(str(task.status) for task in view.tasks.values())
    ready = app.queue.ready(view)
    active = sorted(
        (task for task in view.tasks.values() if task.claim is not None),
        key=lambda task: task.claim.claimed_at if task.claim else "",
    )
    alerts = _alerts(app, view)
    waiting = count_waiting(app)
    pushes = _pushes(app)
    document = {
        "engine": app.settings.engine,
        "remote": app.settings.remote,
        "counts": {str(status): counts.get(str(status), 0) for status in Status},
        "ready": len(ready),
        "in_progress": [_active(task, view) for task in active],
        "alerts": alerts,
        "waiting": waiting,
        "pushes": pushes,
    }

    def human(out: Output) -> None:
        _print_counts(out, counts, len(ready))
        if active:
            out.say()
            out.table(("ID", "AGENT", "FOR", "LEASE", "TITLE"), _rows(app, view, active))
        for alert in alerts:
            out.say(f"! {alert}")
        if waiting:
            wait = "1 change waits" if waiting == 1 else f"{waiting} changes wait"
            out.say(f"{wait} to be sent; next: baton sync")
        if pushes is not None:
            out.say(
                f"{pushes['last_minute']} pushes from this clone in the last minute, "
                f"{pushes['last_hour']} in the last hour; budget: {pushes['per_minute']} a minute"
            )
        if not view.tasks:
            out.hint('  next: baton add "What is to be done"')

    request.output.answer(document, human)


def _pushes(app: App) -> dict[str, int] | None:
    """Return what this clone has pushed of late, and the budget; None where nothing is pushed."""
    if app.settings.engine != "git":
        return None
    return {
        "last_minute": app.pushes.count(60.0),
        "last_hour": app.pushes.count(3600.0),
        "per_minute": app.config.work.pushes_per_minute,
    }


def _print_counts(out: Output, counts: Counter[str], ready: int) -> None:
    if not counts:
        out.say("no task yet")
        return
    words = [f"{counts[str(status)]} {status}" for status in Status if counts[str(status)]]
    out.say(f"{', '.join(words)}; {ready} ready")


def _active(task: Task, view: View) -> dict[str, Any]:
    return {
        "id": task.id,
        "title": task.title,
        "claim": None if task.claim is None else claim_part(task.claim),
        "lease_left": _lease_left(task, view),
    }


def _rows(app: App, view: View, active: Sequence[Task]) -> list[Sequence[Cell]]:
    now = app.clock.now()
    rows: list[Sequence[Cell]] = []
    for task in active:
        if task.claim is None:
            continue
        left = round(_lease_left(task, view))
        lease: Cell = (format_duration(left), "") if left else ("ran out", "red")
        rows.append(
            (task.id, task.claim.agent, since(task.claim.claimed_at, now), lease, task.title)
        )
    return rows


def _lease_left(task: Task, view: View) -> float:
    """Return the seconds this observer would still wait, at most: it may have looked late."""
    lease = task.claim.lease if task.claim else 0.0
    return max(lease - view.sight(task.id).lease, 0.0)


def _alerts(app: App, view: View) -> list[str]:
    alerts = [f"{key} cannot be read: {why} (baton doctor)" for key, why in view.damaged.items()]
    now = app.clock.now()
    alerts += [
        f"{task.id} is {task.status} for {since(task.updated_at, now)}"
        for task in find_overdue(view.tasks.values(), now)
    ]
    load = heartbeat_load(view.tasks.values(), PushBudget(app.config.work.pushes_per_minute))
    if app.settings.engine == "git" and not load.fits:
        alerts.append(f"{load.text}; {load.advice}")
    return alerts
