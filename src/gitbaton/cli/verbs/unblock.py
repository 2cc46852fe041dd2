"""``baton unblock``: answers a blocked task."""

from __future__ import annotations

import click

from gitbaton.cli.holding import print_change
from gitbaton.cli.people import require_person
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb


@verb("unblock")
@click.argument("task_id", metavar="ID")
@click.option("--answer", metavar="T", help="The answer; it is part of the next prompt.")
def command(request: Request, task_id: str, answer: str | None) -> None:
    """Answer the question of the blocked task ID and make it pending again.

    Refused inside an agent's environment.
    """
    require_person(request, "unblock", task_id)
    task = request.app.queue.unblock(task_id, answer, actor=request.app.identity.actor)
    print_change(request, task, f"{task.id} is pending again", hint=f"baton claim {task.id}")
