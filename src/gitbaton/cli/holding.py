"""What the verbs of a holder have in common: the token, the change, the clean-up, the answer."""

from __future__ import annotations

from collections.abc import Callable

from gitbaton.cli.offline import Queued, print_queued
from gitbaton.cli.proof import find_token
from gitbaton.cli.request import Request
from gitbaton.cli.taskjson import task_document
from gitbaton.core.errors import ClaimLost
from gitbaton.tasks.claims import Token
from gitbaton.tasks.model import Task


def end_claim(
    request: Request,
    task_id: str,
    given: str | None,
    send: Callable[[Token], Task | Queued],
    *,
    words: Callable[[Task], str],
) -> None:
    """End the claim of ``task_id`` by ``send``, forget its token, and print the task.

    What waits in the outbox keeps its token. ``given``: the value of ``--token``. ``words`` says
    in a line what has happened.
    """
    token = find_token(request, task_id, given)
    try:
        task = send(token)
    except ClaimLost:
        request.app.held.drop(token.task, token.epoch)
        raise
    if isinstance(task, Queued):
        print_queued(request.output, task)
        return
    request.app.held.drop(token.task, token.epoch)
    print_change(request, task, words(task))


def print_change(request: Request, task: Task, words: str, *, hint: str | None = None) -> None:
    """Print ``task`` after a change: as JSON, or as the line ``words`` and what to do next."""

    def human() -> None:
        request.output.say(words)
        if hint:
            request.output.hint(f"  next: {hint}")

    request.output.answer(task_document(task, request.app.gatekeeper), lambda _: human())
