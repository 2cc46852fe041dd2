"""Runs a command under a claim, and ends the claim as the command ended: `exec`, `session exec`."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gitbaton.cli.finishing import Finish, finish_task
from gitbaton.cli.offline import Queued, end_claim
from gitbaton.cli.request import Request
from gitbaton.core.errors import ClaimLost, InvalidInput
from gitbaton.tasks.claims import Claimed, ended_by
from gitbaton.tasks.model import Task
from gitbaton.workspace.execution import Execution, run_claimed


def require_command(request: Request, argv: Sequence[str]) -> None:
    """Raise InvalidInput unless ``argv`` names a program: nothing is claimed for a mistake."""
    if shutil.which(argv[0], path=request.env.get("PATH")) is None:
        raise InvalidInput("CMD", f"{argv[0]!r} is no command here", next=find_command(argv))


def find_command(argv: Sequence[str]) -> str:
    """Return what tells which program ``argv`` would be."""
    return f"command -v {shlex.quote(argv[0])}"


def run_under_claim(
    request: Request,
    claimed: Claimed,
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    started: Callable[[int], None] = lambda pid: None,
) -> Execution:
    """Run ``argv`` in ``cwd`` while the claim is renewed. ``env``: further variables.

    ``started`` is called with its process id. Raises InvalidInput where it cannot be started; then
    the claim is given back.
    """
    claim = claimed.task.claim
    variables = {
        **request.env,
        **(env or {}),
        "BATON_TASK": claimed.token.task,
        "BATON_TOKEN": str(claimed.token),
        "BATON_EPOCH": str(claimed.token.epoch),
        "BATON_AGENT": claim.agent if claim else "",
    }
    try:
        return run_claimed(
            argv,
            variables,
            token=claimed.token,
            lease=claim.lease if claim else 60.0,
            renew=request.app.queue.renew,
            cwd=cwd,
            stdout=sys.stderr.fileno() if request.output.json else None,
            started=started,
        )
    except OSError as error:
        request.app.queue.release(claimed.token, f"{argv[0]} could not be started")
        raise InvalidInput(
            "CMD", f"{argv[0]}: {error.strerror}", next=find_command(argv)
        ) from error


def conclude(
    request: Request, claimed: Claimed, execution: Execution, finish: Finish | None = None
) -> Task | Queued:
    """End the claim as the command ended, unless the command ended it itself.

    ``finish``: what is said of the task where it succeeded. The token is forgotten then; what
    waits in the outbox keeps it.
    """
    app, token = request.app, claimed.token
    task = _end(request, claimed, execution, finish or Finish())
    if isinstance(task, Queued):
        request.output.note("the remote is away; the end of the task is queued; next: baton sync")
    else:
        app.held.drop(token.task, token.epoch)
    return task


def _end(request: Request, claimed: Claimed, execution: Execution, finish: Finish) -> Task | Queued:
    app, token = request.app, claimed.token
    why = f"the command ended with status {execution.status}"
    try:
        if execution.status == 0:
            return finish_task(app, token, finish)
        return end_claim(app, lambda: app.queue.release(token, why), "release", token, why)
    except ClaimLost:
        task = app.queue.get(token.task)
        if ended_by(task, token, "done", "block", "release", "fail"):
            return task
        app.held.drop(token.task, token.epoch)
        raise
