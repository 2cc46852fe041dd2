"""``baton show``: shows one task."""

from __future__ import annotations

import click

from gitbaton.cli.request import Request
from gitbaton.cli.taskjson import is_approved, task_document
from gitbaton.cli.taskview import print_task
from gitbaton.cli.verb import verb


@verb("show")
@click.argument("task_id", metavar="ID")
def command(request: Request, task_id: str) -> None:
    """Show everything about the task ID."""
    app = request.app
    task = app.queue.get(task_id)
    approved = is_approved(task, app.gatekeeper)
    request.output.answer(
        task_document(task, app.gatekeeper),
        lambda out: print_task(out, task, now=app.clock.now(), approved=approved),
    )
