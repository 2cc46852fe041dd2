"""What may be said while the remote is away: it waits in the outbox, and `sync` sends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from gitbaton.app import App
from gitbaton.cli.drafts import check_draft, with_defaults
from gitbaton.cli.output import Output
from gitbaton.core.errors import Refused, RemoteUnreachable
from gitbaton.core.ids import new_task_id
from gitbaton.tasks.claims import Token
from gitbaton.tasks.drafts import Draft
from gitbaton.tasks.model import Task

if TYPE_CHECKING:
    from gitbaton.work.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Queued:
    """A change that waits in the outbox: the tasks it is about, and why it was not sent."""

    ids: tuple[str, ...]
    why: str


def add_tasks(app: App, drafts: Sequence[Draft]) -> list[Task] | Queued:
    """Add ``drafts`` in one transaction and return the tasks, or queue the addition.

    Ids are made before anything is sent: sent twice, because an answer was lost, they are added
    once. What only the remote can tell (whether needs exist, whether ids are free) is found out
    when it is sent. Raises InvalidInput, TaskExists, Refused for an id that waits already.
    """
    named = [_named(with_defaults(draft, app.config)) for draft in drafts]
    actor = app.identity.actor
    try:
        return app.queue.add(named, actor=actor)
    except RemoteUnreachable as error:
        ids = tuple(str(draft.id) for draft in named)
        _refuse_twins(app, ids)
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
    """Queue a landing (``work.job.LandJob`` as JSON); its commit is kept whatever happens here.

    Said again of the same claim, the later word counts.
    """
    if job["commit"] is not None:
        app.repository.keep(f"queued/{token.task}-e{token.epoch}", job["commit"])
    outbox = _outbox(app)
    earlier = [
        entry
        for entry in outbox.entries()
        if entry.kind == "land" and entry.body.get("token") == str(token) and entry.owner is None
    ]
    outbox.put("land", token.task, job)
    for entry in earlier:
        outbox.drop(entry)
    return Queued((token.task,), why)


def count_waiting(app: App) -> int:
    """Return how many changes of this clone wait for the remote."""
    return len(_outbox(app).entries())


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


def _refuse_twins(app: App, ids: Sequence[str]) -> None:
    waiting = {
        str(draft.get("id"))
        for entry in _outbox(app).entries()
        if entry.kind == "add"
        for draft in entry.body.get("drafts", ())
    }
    twins = sorted(waiting & set(ids))
    if twins:
        raise Refused(f"task {twins[0]!r} waits already", code="exists", next="baton sync")


def _put(
    app: App, kind: Literal["add", "block", "fail", "release"], task: str, body: Mapping[str, Any]
) -> None:
    _outbox(app).put(kind, task, body)


def _outbox(app: App) -> Outbox:
    from gitbaton.work.outbox import Outbox

    return Outbox(app.local, app.clock)
