"""``baton block``: hands a task to a human, with a question."""

from __future__ import annotations

import click

from gitbaton.cli.holding import end_claim
from gitbaton.cli.offline import end_claim as send
from gitbaton.cli.proof import token_option
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb


@verb("block")
@click.argument("task_id", metavar="ID", envvar="BATON_TASK")
@click.option("--reason", required=True, metavar="R", help="What a human must answer.")
@token_option
def command(request: Request, task_id: str, reason: str, token: str | None) -> None:
    """Give the task ID up until a human has answered. In an agent, ID may be left out."""
    app = request.app
    end_claim(
        request,
        task_id,
        token,
        lambda proof: send(app, lambda: app.queue.block(proof, reason), "block", proof, reason),
        words=lambda task: f"{task.id} is blocked; next: baton unblock {task.id} --answer TEXT",
    )
