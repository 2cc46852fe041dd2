"""``baton exec``: claims a task, runs a command for it, finishes it."""

from __future__ import annotations

import click

from gitbaton.cli.fields import DURATION
from gitbaton.cli.offline import Queued
from gitbaton.cli.request import Request
from gitbaton.cli.taskjson import task_document
from gitbaton.cli.underclaim import conclude, require_command, run_under_claim
from gitbaton.cli.verb import verb


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
    require_command(request, argv)
    app = request.app
    who = app.identity.claimant(agent=agent, capabilities=capabilities)
    [claimed] = app.queue.claim(who, ids=(task_id,), lease=lease)
    app.hold(claimed)
    request.output.detail(f"claimed {task_id}, epoch {claimed.token.epoch}")
    execution = run_under_claim(request, claimed, argv)
    task = conclude(request, claimed, execution)
    if not request.output.json:
        return execution.status
    document: dict[str, object] = {"queued": True, "id": task_id}
    if not isinstance(task, Queued):
        document = {"task": task_document(task, app.gatekeeper)}
    request.output.document({**document, "status": execution.status})
    return execution.status
