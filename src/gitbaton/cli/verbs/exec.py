"""``baton exec``: claims a task, runs a command for it, finishes it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

import click

from gitbaton.cli.fields import DURATION
from gitbaton.cli.finishing import Finish, finish_task
from gitbaton.cli.offline import Queued, end_claim
from gitbaton.cli.request import Request
from gitbaton.cli.taskjson import task_document
from gitbaton.cli.verb import verb
from gitbaton.core.errors import ClaimLost, InvalidInput
from gitbaton.tasks.claims import Claimed, ended_by
from gitbaton.tasks.model import Task
from gitbaton.workspace.execution import Execution, run_claimed


@verb("exec")
@click.argument("task_id", metavar="ID")
@click.argument("argv", metavar="-- CMD…", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--agent", metavar="NAME", help="Claim under this name.")
@click.option("--lease", type=DURATION, metavar="D", help="How long the claim lasts unrenewed.")
@click.option("--cap", "capabilities", multiple=True, metavar="CAP", help="Something I can do.")
def command(
    request: Request,
    task_id: str,
    argv: tuple[str, ...],
    agent: str | None,
    lease: float | None,
    capabilities: tuple[str, ...],
) -> int:
    """Claim the task ID, run CMD, and say `done` if it succeeds; release the task if it fails.

    The claim is renewed meanwhile. CMD sees BATON_TASK, BATON_TOKEN, BATON_EPOCH and
    BATON_AGENT; it may end the claim itself (done, block, fail). The exit status is that of CMD,
    or 76 if the claim was taken away. With --json the output of CMD goes to standard error.
    """
    if shutil.which(argv[0], path=request.env.get("PATH")) is None:
        raise InvalidInput("CMD", f"{argv[0]!r} is no command here")
    app = request.app
    who = app.identity.claimant(agent=agent, capabilities=capabilities)
    [claimed] = app.queue.claim(who, ids=(task_id,), lease=lease)
    app.hold(claimed)
    request.output.detail(f"claimed {task_id}, epoch {claimed.token.epoch}")
    execution = _run(request, claimed, argv)
    task = _conclude(request, claimed, execution)
    if isinstance(task, Queued):
        request.output.note("the remote is away; the end of the task is queued; next: baton sync")
        if request.output.json:
            request.output.document({"queued": True, "id": task_id, "status": execution.status})
        return execution.status
    app.held.drop(claimed.token.task, claimed.token.epoch)
    if request.output.json:
        document = task_document(task, app.gatekeeper)
        request.output.document({"task": document, "status": execution.status})
    return execution.status


def _run(request: Request, claimed: Claimed, argv: Sequence[str]) -> Execution:
    claim = claimed.task.claim
    env = {
        **request.env,
        "BATON_TASK": claimed.token.task,
        "BATON_TOKEN": str(claimed.token),
        "BATON_EPOCH": str(claimed.token.epoch),
        "BATON_AGENT": claim.agent if claim else "",
    }
    try:
        return run_claimed(
            argv,
            env,
            token=claimed.token,
            lease=claim.lease if claim else 60.0,
            renew=request.app.queue.renew,
            stdout=sys.stderr.fileno() if request.output.json else None,
        )
    except OSError as error:
        request.app.queue.release(claimed.token, f"{argv[0]} could not be started")
        raise InvalidInput("CMD", f"{argv[0]}: {error.strerror}") from error


def _conclude(request: Request, claimed: Claimed, execution: Execution) -> Task | Queued:
    """End the claim as the command ended, unless the command ended it itself."""
    app, token = request.app, claimed.token
    why = f"the command ended with status {execution.status}"
    try:
        if execution.status == 0:
            return finish_task(app, token, Finish())
        return end_claim(app, lambda: app.queue.release(token, why), "release", token, why)
    except ClaimLost:
        task = app.queue.get(token.task)
        if ended_by(task, token, "done", "block", "release", "fail"):
            return task
        app.held.drop(token.task, token.epoch)
        raise
