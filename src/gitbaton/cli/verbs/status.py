"""``baton status``: shows who does what, and since when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from gitbaton.app import App
from gitbaton.cli.output import Cell, Output
from gitbaton.cli.request import Request
from gitbaton.cli.taskjson import claim_part
from gitbaton.cli.taskview import since
from gitbaton.cli.verb import verb
from gitbaton.core.clock import parse_rfc3339
from gitbaton.core.durations import format_duration
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.view import View

_PUSH_BUDGET = 6.0  # a minute: what github.com advises for one repository
_OLD = 86400.0  # seconds after which somebody should look at a task that waits for people


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
    document = {
        "engine": app.settings.engine,
        "remote": app.settings.remote,
        "counts": {str(status): counts.get(str(status), 0) for status in Status},
        "ready": len(ready),
        "in_progress": [_active(task, view) for task in active],
        "alerts": alerts,
    }

    def human(out: Output) -> None:
        _print_counts(out, counts, len(ready))
        if active:
            out.say()
            out.table(("ID", "AGENT", "FOR", "LEASE", "TITLE"), _rows(app, view, active))
        for alert in alerts:
            out.say(f"! {alert}")
        if not view.tasks:
            out.hint('  next: baton add "What is to be done"')

    request.output.answer(document, human)


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
    for task in view.tasks.values():
        waits = task.status in (Status.REVIEW, Status.BLOCKED)
        if waits and (now - parse_rfc3339(task.updated_at)).total_seconds() > _OLD:
            alerts.append(f"{task.id} is {task.status} for {since(task.updated_at, now)}")
    alerts += _heartbeat_alerts(app, view)
    return alerts


def _heartbeat_alerts(app: App, view: View) -> list[str]:
    """Warn when the renewals of all machines together are more than a host wants to see."""
    if app.settings.engine != "git":
        return []
    shortest: dict[str, float] = {}
    for task in view.tasks.values():
        if task.claim is not None:
            machine = f"{task.claim.machine}/{task.claim.worker}"
            shortest[machine] = min(task.claim.lease, shortest.get(machine, task.claim.lease))
    pushes = sum(60.0 / (lease / 3) for lease in shortest.values())
    if pushes <= _PUSH_BUDGET:
        return []
    fitting = format_duration(60.0 * round(3 * len(shortest) / _PUSH_BUDGET + 0.5))
    words = (
        f"{len(shortest)} workers renew with {pushes:.0f} pushes a minute; a lease of {fitting} "
        f"keeps them at {_PUSH_BUDGET:.0f} (queue.lease in baton.toml)"
    )
    return [words]
