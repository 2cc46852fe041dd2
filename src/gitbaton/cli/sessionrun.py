"""Runs a command in a session of its own, under a claim or not: `session exec`."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from gitbaton.cli.finishing import Finish
from gitbaton.cli.offline import Queued
from gitbaton.cli.request import Request
from gitbaton.cli.sessionview import ended_document, session_document, tell_ended
from gitbaton.cli.taskjson import task_document
from gitbaton.cli.underclaim import conclude, find_command, run_under_claim
from gitbaton.commons import Commons
from gitbaton.core.errors import BatonError, InvalidInput
from gitbaton.core.ids import Oid, task_id
from gitbaton.tasks.claims import Claimed
from gitbaton.workspace.execution import Execution, run_unclaimed
from gitbaton.workspace.identity import Identity
from gitbaton.workspace.sessions.desk import Wish, new_name
from gitbaton.workspace.sessions.roll import Session


def run_session(
    request: Request,
    commons: Commons,
    argv: Sequence[str],
    *,
    name: str | None,
    own_tree: bool | None,
    task: str | None,
    agent: str | None,
) -> int:
    """Run ``argv`` in a new session, claiming ``task`` first, and return its exit status.

    Raises NothingToClaim where the task is held; then nothing was started.
    """
    desk = commons.desk
    name = task_id(name, field="--name") if name else new_name()
    claimed = None if task is None else _claim(request, name, task, agent)
    wish = Wish(
        owner=desk.process,
        name=name,
        task=task,
        own_tree=own_tree,
        branch=None
        if task is None
        else request.app.protection().config.project.branch_prefix + task,
    )
    try:
        session = desk.start(wish, commons.head())
    except BatonError:
        if claimed is not None:
            _give_back(request, claimed, "its session could not be started")
        raise
    if session.tree is not None:
        request.output.note(f"session {name} works in {session.tree.path}")
    published: list[Oid] = []
    try:
        status, document = _run(request, commons, session, argv, claimed, published)
    finally:
        ended = desk.end(name, force=True, published=published)
        if ended.reasons:
            tell_ended(request.output.note, ended)
    if request.output.json:
        request.output.document(
            {
                "session": session_document(session, desk),
                "ended": ended_document(ended),
                **document,
                "status": status,
            }
        )
    return status


def _claim(request: Request, session: str, task: str, agent: str | None) -> Claimed:
    """Claim ``task`` as the session that is about to start."""
    app = request.app
    env = {**app.env, "BATON_SESSION": session}
    app.identity = Identity(env, app.git_config, app.clock.origin)
    [claimed] = app.queue.claim(app.identity.claimant(agent=agent), ids=(task,))
    app.hold(claimed)
    return claimed


def _give_back(request: Request, claimed: Claimed, why: str) -> None:
    request.app.queue.release(claimed.token, why)
    request.app.held.drop(claimed.token.task, claimed.token.epoch)


def _run(
    request: Request,
    commons: Commons,
    session: Session,
    argv: Sequence[str],
    claimed: Claimed | None,
    published: list[Oid],
) -> tuple[int, dict[str, object]]:
    env = commons.desk.variables(session)
    # In the shared tree CMD starts where the caller stands.
    cwd = None if session.tree is None else Path(session.tree.path)

    def started(pid: int) -> None:
        # Should we be killed, CMD goes on: its session and its worktree must not go before it.
        # Where that cannot be written down, it is found in the worktree.
        with contextlib.suppress(BatonError):
            commons.desk.run(session.name, pid)

    if claimed is None:
        return _run_plain(request, argv, env, cwd, started).status, {}
    execution = run_under_claim(request, claimed, argv, env=env, cwd=cwd, started=started)
    finish = Finish()
    tip = None if session.tree is None else commons.tip(session.tree.branch)
    if session.tree is not None and tip not in (None, session.tree.base):
        finish = Finish(branch=session.tree.branch)
    task = conclude(request, claimed, execution, finish)
    if isinstance(task, Queued):
        return execution.status, {"queued": True, "id": claimed.token.task}
    if not request.output.json:
        why = f": the command ended with status {execution.status}" if execution.status else ""
        request.output.note(f"{task.id} is {task.status}{why}")
    if task.result is not None and task.result.commit == tip and tip is not None:
        published.append(tip)
    return execution.status, {"task": task_document(task, request.app.gatekeeper)}


def _run_plain(
    request: Request,
    argv: Sequence[str],
    env: dict[str, str],
    cwd: Path | None,
    started: Callable[[int], None],
) -> Execution:
    try:
        return run_unclaimed(
            argv,
            {**request.env, **env},
            cwd=cwd,
            stdout=sys.stderr.fileno() if request.output.json else None,
            started=started,
        )
    except OSError as error:
        why = f"{argv[0]}: {os.strerror(error.errno or 0)}"
        raise InvalidInput("CMD", why, next=find_command(argv)) from error
