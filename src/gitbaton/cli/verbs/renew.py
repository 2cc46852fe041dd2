"""``baton renew``: renews a claim, or all of mine."""

from __future__ import annotations

import click

from gitbaton.cli.errors import CLAIM_LOST, error_document, exit_status
from gitbaton.cli.output import Output
from gitbaton.cli.proof import find_token, own_tokens, token_option
from gitbaton.cli.request import Request
from gitbaton.cli.taskjson import task_document
from gitbaton.cli.verb import verb
from gitbaton.core.errors import BatonError, ClaimLost, NothingToClaim
from gitbaton.tasks.claims import Token
from gitbaton.tasks.model import Task


@verb("renew")
@click.argument("task_id", metavar="[ID]", required=False)
@token_option
def command(request: Request, task_id: str | None, token: str | None) -> int:
    """Renew the claim of the task ID; without ID, every claim of mine in one push.

    Exit status 76: a claim is no longer mine. The others are renewed all the same.
    """
    tokens = _tokens(request, task_id, token)
    renewed: list[Task] = []
    lost: list[tuple[Token, BatonError]] = []
    held = request.app.held
    for each, outcome in request.app.queue.renew(tokens).items():
        if isinstance(outcome, Task):
            renewed.append(outcome)
            held.touch(each.task, each.epoch)
        elif isinstance(outcome, BatonError):
            lost.append((each, outcome))
            if isinstance(outcome, ClaimLost):
                held.drop(each.task, each.epoch)
        else:
            raise outcome
    if lost and (task_id is not None or len(tokens) == 1):
        raise lost[0][1]
    _answer(request, renewed, lost)
    if any(isinstance(error, ClaimLost) for _, error in lost):
        return CLAIM_LOST
    return exit_status(lost[0][1]) if lost else 0


def _tokens(request: Request, task_id: str | None, given: str | None) -> list[Token]:
    if task_id is not None:
        return [find_token(request, task_id, given)]
    if given is not None:
        return [Token.parse(given)]
    tokens = own_tokens(request)
    if not tokens:
        raise NothingToClaim("empty", "no claim of mine is known here", next="baton claim")
    return tokens


def _answer(request: Request, renewed: list[Task], lost: list[tuple[Token, BatonError]]) -> None:
    def human(out: Output) -> None:
        for task in renewed:
            out.say(f"renewed {task.id}")
        for _, error in lost:
            out.complain(f"baton: {error.message}")

    document: dict[str, object] = {
        "tasks": [task_document(task, request.app.gatekeeper) for task in renewed],
        "lost": [{"task": token.task, **error_document(error)} for token, error in lost],
    }
    request.output.answer(document, human)
