"""``baton claim``: claims a task, or the next ready ones."""

from __future__ import annotations

from collections.abc import Sequence

import click

from gitbaton.cli.drafts import with_defaults
from gitbaton.cli.fields import DURATION
from gitbaton.cli.keep import find_kept, start_keeper
from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.cli.taskjson import claimed_document
from gitbaton.cli.verb import verb
from gitbaton.core.durations import format_duration
from gitbaton.tasks.claims import Claimed
from gitbaton.tasks.drafts import Draft


@verb("claim")
@click.argument("task_id", metavar="[ID]", required=False)
@click.option("--agent", metavar="NAME", help="Claim under this name.")
@click.option("--count", type=click.IntRange(1, 100), default=1, metavar="N", help="Up to N tasks.")
@click.option("--lease", type=DURATION, metavar="D", help="How long it lasts unrenewed.")
@click.option("--cap", "capabilities", multiple=True, metavar="CAP", help="Something I can do.")
@click.option("--create", is_flag=True, help="Add the task ID first if there is none.")
@click.option("--title", metavar="T", help="Its title if it is created; the default is the ID.")
@click.option("--keep", type=int, metavar="PID", help="Renew in the background until PID ends.")
def command(
    request: Request,
    task_id: str | None,
    agent: str | None,
    count: int,
    lease: float | None,
    capabilities: tuple[str, ...],
    create: bool,
    title: str | None,
    keep: int | None,
) -> None:
    """Claim the task ID, or the next ready task.

    Exit status 75: nothing was claimed, and the message says why. The claim is proved by a
    token; it is kept in this clone, so that the same session need not pass it.
    """
    draft = _draft(task_id, create=create, title=title)
    if task_id is not None and count != 1:
        raise click.UsageError("--count goes without an ID")
    app = request.app
    kept = None if keep is None else find_kept(keep, app.clock)
    won = app.queue.claim(
        app.identity.claimant(agent=agent, capabilities=capabilities),
        ids=() if task_id is None else (task_id,),
        count=count,
        lease=lease,
        create=None if draft is None else with_defaults(draft, app.config),
    )
    for claimed in won:
        app.hold(claimed)
    if kept is not None:
        start_keeper(app, kept, [claimed.token for claimed in won])
    request.output.answer(
        {"claims": [claimed_document(claimed, app.gatekeeper) for claimed in won]},
        lambda out: _print_won(out, won, kept=kept is not None),
    )


def _draft(task_id: str | None, *, create: bool, title: str | None) -> Draft | None:
    if not create:
        if title is not None:
            raise click.UsageError("--title goes with --create")
        return None
    if task_id is None:
        raise click.UsageError("--create needs the ID")
    return Draft(title=title or task_id, id=task_id)


def _print_won(out: Output, won: Sequence[Claimed], *, kept: bool) -> None:
    for claimed in won:
        task, claim = claimed.task, claimed.task.claim
        out.say(f"claimed {task.id}: {task.title}")
        out.say(f"  epoch {claimed.token.epoch}, token {claimed.token}")
        if claim is not None and not kept:
            third = format_duration(round(claim.lease / 3, 1))
            out.hint(
                f"  lasts {format_duration(claim.lease)}; renew it every {third}: "
                f"baton renew {task.id}"
            )
        out.hint(f"  next: baton done {task.id} --branch BRANCH (or block, release, fail)")
