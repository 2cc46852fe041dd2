"""``baton reject``: sends a task in review back."""

from __future__ import annotations

import click

from gitbaton.cli.holding import print_change
from gitbaton.cli.people import require_person
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb


@verb("reject")
@click.argument("task_id", metavar="ID")
@click.option("--reason", required=True, metavar="R", help="Why; it is part of the next prompt.")
def command(request: Request, task_id: str, reason: str) -> None:
    """Send the task ID, which is in review, back to be done again.

    Refused inside an agent's environment.
    """
    require_person(request, "reject", task_id)
    task = request.app.queue.reject(task_id, reason, actor=request.app.identity.actor)
    print_change(request, task, f"{task.id} is pending again")
