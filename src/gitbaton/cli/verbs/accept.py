"""``baton accept``: accepts a task in review."""

from __future__ import annotations

import click

from gitbaton.cli.holding import print_change
from gitbaton.cli.people import require_person
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb


@verb("accept")
@click.argument("task_id", metavar="ID")
def command(request: Request, task_id: str) -> None:
    """Accept the result of the task ID, which is in review: it is done.

    Refused inside an agent's environment.
    """
    require_person(request, "accept", task_id)
    task = request.app.queue.accept(task_id, actor=request.app.identity.actor)
    print_change(request, task, f"{task.id} is done")
