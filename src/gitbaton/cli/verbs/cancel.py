"""``baton cancel``: calls a task off."""

from __future__ import annotations

import click

from gitbaton.cli.holding import print_change
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb


@verb("cancel")
@click.argument("task_id", metavar="ID")
@click.option("--reason", metavar="R", help="Why, in a few words.")
def command(request: Request, task_id: str, reason: str | None) -> None:
    """Call the task ID off. Whoever holds it can no longer publish."""
    task = request.app.queue.cancel(task_id, reason, actor=request.app.identity.actor)
    print_change(request, task, f"{task.id} is cancelled")
