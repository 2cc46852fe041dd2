"""``baton release``: gives a task back, unfinished."""

from __future__ import annotations

import click

from gitbaton.cli.holding import end_claim
from gitbaton.cli.proof import token_option
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb


@verb("release")
@click.argument("task_id", metavar="ID")
@click.option("--reason", default="", metavar="R", help="Why, in a few words.")
@token_option
def command(request: Request, task_id: str, reason: str, token: str | None) -> None:
    """Give the task ID back. It is pending again, and no attempt is counted."""
    end_claim(
        request,
        task_id,
        token,
        lambda proof: request.app.queue.release(proof, reason),
        words=lambda task: f"{task.id} is {task.status} again",
    )
