"""Finds the token that proves a claim: given, in the environment, or stored in this clone."""

from __future__ import annotations

import click

from gitbaton.cli.request import Request
from gitbaton.core.errors import ClaimLost, InvalidInput
from gitbaton.tasks.claims import Token

token_option = click.option("--token", metavar="T", help="The token of the claim.")


def find_token(request: Request, task: str, given: str | None) -> Token:
    """Return the token for ``task``: ``given``, else BATON_TOKEN, else the one stored here.

    Raises InvalidInput when ``given`` is for another task, ClaimLost when there is none that
    this session may use.
    """
    if given:
        token = Token.parse(given)
        if token.task != task:
            raise InvalidInput("--token", f"it is for task {token.task!r}, not for {task!r}")
        return token
    inherited = request.env.get("BATON_TOKEN")
    if inherited:
        token = Token.parse(inherited)
        if token.task == task:
            return token
    return _stored(request, task)


def own_tokens(request: Request) -> list[Token]:
    """Return every token that this session may use: of the environment, and stored here."""
    app = request.app
    inherited = request.env.get("BATON_TOKEN")
    tokens = [Token.parse(inherited)] if inherited else []
    for claim in app.held.all():
        token = Token.parse(claim.token)
        if token not in tokens and app.held.objection(claim, app.identity.session) is None:
            tokens.append(token)
    return tokens


def _stored(request: Request, task: str) -> Token:
    app = request.app
    held = app.held.find(task)
    if held is None:
        app.queue.get(task)  # an unknown task is the better thing to say
        raise ClaimLost(
            task,
            f"no claim of {task!r} was made from this clone; pass its --token",
            next=f"baton claim {task}",
        )
    objection = app.held.objection(held, app.identity.session)
    if objection is not None:
        raise ClaimLost(
            task,
            f"the token of {task!r} that is stored here is not yours: {objection}; "
            "pass your own with --token",
        )
    return Token.parse(held.token)
