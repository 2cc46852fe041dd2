"""``baton retry``: makes a finished task pending again."""

from __future__ import annotations

import click

from gitbaton.cli.holding import print_change
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb


@verb("retry")
@click.argument("task_id", metavar="ID")
@click.option("--force", is_flag=True, help="Even if a task that needs it is in progress.")
def command(request: Request, task_id: str, force: bool) -> None:
    """Make the done, failed or cancelled task ID pending again, with all its attempts."""
    task = request.app.queue.retry(task_id, force=force, actor=request.app.identity.actor)
    print_change(request, task, f"{task.id} is pending again", hint=f"baton claim {task.id}")
