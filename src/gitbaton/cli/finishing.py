"""How `done` and `exec` finish a task: at once, in steps, or by way of the outbox."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from gitbaton.app import App
from gitbaton.cli.offline import Queued, queue_landing
from gitbaton.core.errors import NoAtomicPush, Refused, RemoteUnreachable
from gitbaton.core.ids import Oid, branch_name
from gitbaton.store.model import Move
from gitbaton.tasks.claims import Token
from gitbaton.tasks.deliverables import promised_files, undelivered
from gitbaton.tasks.model import Task
from gitbaton.workspace.lookup import find_branch, find_commit
from gitbaton.workspace.publication import publish_branch, require_landing


@dataclass(frozen=True, slots=True)
class Finish:
    """What is said of a finished task: the branch to publish or the commit to note, and words."""

    branch: str | None = None
    commit: str | None = None
    text: str | None = None
    review: bool = False


def finish_task(app: App, token: Token, wish: Finish) -> Task | Queued:
    """Finish the claim of ``token``; queue that while the remote is away.

    Raises InvalidInput for a branch or commit that is not here, ClaimLost, GateClosed,
    HostRefused, Refused (also where files that the task promises are not in the commit).
    """
    found = None
    if wish.commit is not None:
        found = find_commit(app.clone, wish.commit)
    elif wish.branch is not None:
        found = find_branch(app.clone, branch_name(wish.branch, field="--branch"))
    try:
        return _finish(app, token, wish, found)
    except RemoteUnreachable as error:
        return queue_landing(app, token, _job(app, token, wish, found), error.message)


def _finish(app: App, token: Token, wish: Finish, tip: Oid | None) -> Task:
    def require(task: Task) -> None:
        _require_files(app, task, tip)

    if wish.branch is None or tip is None:
        return app.queue.done(
            token, commit=tip, text=wish.text, review=wish.review, require=require
        )
    protection = app.protection()
    if not wish.review:
        require_landing(protection, wish.branch)

    def finish(moves: tuple[Move, ...]) -> Task:
        return app.queue.done(
            token,
            branch=wish.branch,
            commit=tip,
            text=wish.text,
            review=wish.review,
            moves=moves,
            require=require,
        )

    shared = wish.branch == protection.target
    try:
        return publish_branch(
            finish, app.repository, app.remote, token, wish.branch, tip, shared=shared
        )
    except NoAtomicPush:
        if shared:
            raise
        return _in_steps(app, token, wish, tip)


def _require_files(app: App, task: Task, commit: Oid | None) -> None:
    """Raise Refused unless ``commit`` has the files that the task promises (I9)."""
    globs = promised_files(task.deliverable)
    if not globs:
        return
    absent = undelivered(globs, app.repository.files(commit) if commit is not None else [])
    if absent:
        what = f"no file {', '.join(absent)}" if commit else "say which commit has its files"
        raise Refused(
            f"task {task.id!r} is not delivered: {what}",
            code="not_delivered",
            next=f"baton done {task.id} --branch BRANCH",
        )


def _in_steps(app: App, token: Token, wish: Finish, tip: Oid) -> Task:
    """Land as the worker does on a host that cannot move record and branch together."""
    from gitbaton.work.job import LandJob
    from gitbaton.workshop import Workshop

    job = msgspec.convert(_job(app, token, wish, tip), LandJob)
    return Workshop(app, lambda _: None).lander.land(job).task


def _job(app: App, token: Token, wish: Finish, tip: Oid | None) -> dict[str, object]:
    """Return the landing as ``work.job.LandJob`` has it, in JSON."""
    held = app.held.find(token.task)
    return {
        "token": str(token),
        "agent": held.holder if held is not None else app.identity.claimant().agent,
        "way": "record" if wish.branch is None else "branch",
        "branch": wish.branch or "",
        "target": app.last_known_target,
        "base": None,
        "commit": tip,
        "review": wish.review,
        "text": wish.text,
    }
