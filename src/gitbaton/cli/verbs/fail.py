"""``baton fail``: says that an attempt failed."""

from __future__ import annotations

import click

from gitbaton.cli.holding import end_claim
from gitbaton.cli.offline import end_claim as send
from gitbaton.cli.proof import token_option
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb
from gitbaton.tasks.model import Status, Task


@verb("fail")
@click.argument("task_id", metavar="ID")
@click.option("--reason", required=True, metavar="R", help="What went wrong.")
@token_option
def command(request: Request, task_id: str, reason: str, token: str | None) -> None:
    """Say that this attempt at the task ID failed. Another follows, up to its limit."""
    app = request.app
    end_claim(
        request,
        task_id,
        token,
        lambda proof: send(app, lambda: app.queue.fail(proof, reason), "fail", proof, reason),
        words=_words,
    )


def _words(task: Task) -> str:
    attempts = f"attempt {task.attempts} of {task.max_attempts}"
    if task.status is Status.FAILED:
        return f"{task.id} has failed ({attempts}); next: baton retry {task.id}"
    return f"{task.id} is {task.status} again after {attempts}"
