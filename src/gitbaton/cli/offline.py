"""What may be said while the remote is away: it waits in the outbox, and `sync` sends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from gitbaton.app import App
from gitbaton.cli.drafts import check_draft, with_defaults
from gitbaton.cli.output import Output
from gitbaton.core.errors import RemoteUnreachable
from gitbaton.core.ids import new_task_id
from gitbaton.tasks.claims import Token
from gitbaton.tasks.drafts import Draft
from gitbaton.tasks.model import Task


@dataclass(frozen=True, slots=True)
class Queued:
    """A change that waits in the outbox: the tasks it is about, and why it was not sent."""

    ids: tuple[str, ...]
    why: str


def add_tasks(app: App, drafts: Sequence[Draft]) -> list[Task] | Queued:
    """Add ``drafts`` in one transaction and return the tasks, or queue the addition.

    Ids are made before anything is sent: sent twice, because an answer was lost, they are added
    once. Raises InvalidInput, TaskExists.
    """
    named = [_named(with_defaults(draft, app.config)) for draft in drafts]
    actor = app.identity.actor
    try:
        return app.queue.add(named, actor=actor)
    except RemoteUnreachable as error:
        ids = tuple(str(draft.id) for draft in named)
        plain = msgspec.to_builtins(named)
        _put(app, "add", ids[0], {"drafts": plain, "actor": actor.name, "email": actor.email})
        return Queued(ids, error.message)


def end_claim(
    app: App,
    send: Callable[[], Task],
    kind: Literal["block", "fail", "release"],
    token: Token,
    reason: str,
) -> Task | Queued:
    """Return the task after ``send``, or queue the end of the claim."""
    try:
        return send()
    except RemoteUnreachable as error:
        _put(app, kind, token.task, {"token": str(token), "reason": reason})
        return Queued((token.task,), error.message)


def queue_landing(app: App, token: Token, job: Mapping[str, Any], why: str) -> Queued:
    """Queue a landing (``work.job.LandJob`` as JSON); its commit is kept whatever happens here."""
    if job["commit"] is not None:
        app.repository.keep(f"queued/{token.task}-e{token.epoch}", job["commit"])
    _put(app, "land", token.task, job)
    return Queued((token.task,), why)


def print_queued(out: Output, queued: Queued) -> None:
    """Print that a change waits: under ``--json`` with ``"queued": true``."""
    document: dict[str, object] = {"queued": True, "id": queued.ids[0], "ids": queued.ids}

    def human(to: Output) -> None:
        to.say(f"the remote is away; queued: {', '.join(queued.ids)}")
        to.hint("  next: baton sync, when it is back")

    out.detail(queued.why)
    out.answer(document, human)


def _named(draft: Draft) -> Draft:
    named = draft if draft.id is not None else replace(draft, id=new_task_id(draft.title))
    check_draft(named)
    return named


def _put(
    app: App,
    kind: Literal["add", "land", "block", "fail", "release"],
    task: str,
    body: Mapping[str, Any],
) -> None:
    from gitbaton.work.outbox import Outbox

    Outbox(app.local, app.clock).put(kind, task, body)
