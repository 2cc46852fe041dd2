"""``baton done``: finishes a task and publishes its result."""

from __future__ import annotations

import click

from gitbaton.cli.finishing import Finish, finish_task
from gitbaton.cli.holding import end_claim
from gitbaton.cli.proof import token_option
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb
from gitbaton.tasks.model import Status, Task


@verb("done")
@click.argument("task_id", metavar="ID")
@token_option
@click.option("--branch", metavar="B", help="Publish branch B of this clone as the result.")
@click.option("--commit", metavar="C", help="The result is commit C, published by other means.")
@click.option("--review", is_flag=True, help="Leave it to people to accept the result.")
@click.option("--result", "text", metavar="TEXT", help="What was done, in words.")
def command(
    request: Request,
    task_id: str,
    token: str | None,
    branch: str | None,
    commit: str | None,
    review: bool,
    text: str | None,
) -> None:
    """Finish the task ID.

    With --branch the branch and the record move in one atomic push: either both do, or the
    claim was lost and nothing is published (exit status 76).
    """
    if branch and commit:
        raise click.UsageError("give --branch or --commit, not both")
    wish = Finish(branch=branch, commit=commit, text=text, review=review)
    end_claim(
        request,
        task_id,
        token,
        lambda proof: finish_task(request.app, proof, wish),
        words=_words,
    )


def _words(task: Task) -> str:
    published = f", published as {task.result.branch}" if task.result and task.result.branch else ""
    if task.status is Status.REVIEW:
        return f"{task.id} is in review{published}; next: baton accept {task.id}"
    return f"{task.id} is done{published}"
