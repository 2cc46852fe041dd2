"""``baton reap``: takes back claims that nobody renews."""

from __future__ import annotations

from collections.abc import Sequence

import click

from gitbaton.cli.fields import DURATION
from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.cli.taskjson import task_document
from gitbaton.cli.verb import verb
from gitbaton.core.errors import BatonError, RemoteUnreachable
from gitbaton.tasks.claims import Reaped
from gitbaton.tasks.leases import look_interval


@verb("reap")
@click.option("--watch", is_flag=True, help="Go on until interrupted.")
@click.option("--dry-run", is_flag=True, help="Only say what would be taken back.")
@click.option(
    "--every",
    type=DURATION,
    metavar="D",
    help="With --watch: how often to look; the default is a third of the shortest lease, "
    "at most 1m.",
)
def command(request: Request, watch: bool, dry_run: bool, every: float | None) -> None:
    """Take back claims whose lease ran out or whose task took too long.

    Time counts from when this machine first saw a claim unchanged; looks are remembered, so
    this may be run by cron. Run once on a fresh machine, it takes nothing back. A landing that
    was announced and has happened is completed instead.
    """
    if not watch:
        _answer(request, _reap(request, dry_run=dry_run), dry_run=dry_run)
        return
    app, pause = request.app, every or look_interval([], lease=request.app.config.queue.lease)
    while True:
        try:
            for each in _reap(request, dry_run=dry_run):
                _tell(request, each, dry_run=dry_run)
            if every is None:
                tasks = app.queue.view().live.values()
                pause = look_interval(tasks, lease=app.config.queue.lease)
        except RemoteUnreachable as error:
            request.output.note(f"{error.message}; trying again")
        app.clock.sleep(pause)


def _reap(request: Request, *, dry_run: bool) -> Sequence[Reaped]:
    """Take back what has expired, after what turns out to be finished was finished."""
    if not dry_run:
        _settle(request)
    return request.app.queue.reap(dry_run=dry_run)


def _settle(request: Request) -> None:
    from gitbaton.workshop import Workshop

    try:
        for text in Workshop(request.app, lambda _: None).settler().run():
            request.output.note(text)
    except RemoteUnreachable:
        raise
    except BatonError as error:
        request.output.note(error.message)  # an announced landing has a lease more to be settled


def _answer(request: Request, reaped: Sequence[Reaped], *, dry_run: bool) -> None:
    def human(out: Output) -> None:
        for each in reaped:
            out.say(_line(each, dry_run=dry_run))
        if not reaped:
            out.say("nothing to take back")

    documents = [_document(request, each) for each in reaped]
    request.output.answer({"reaped": documents, "dry_run": dry_run}, human)


def _tell(request: Request, reaped: Reaped, *, dry_run: bool) -> None:
    request.output.answer(
        {**_document(request, reaped), "dry_run": dry_run},
        lambda out: out.say(_line(reaped, dry_run=dry_run)),
    )


def _document(request: Request, reaped: Reaped) -> dict[str, object]:
    return {
        "task": task_document(reaped.after, request.app.gatekeeper),
        "epoch": reaped.before.epoch,
        "agent": reaped.before.claim.agent if reaped.before.claim else None,
        "reason": reaped.reason,
    }


def _line(reaped: Reaped, *, dry_run: bool) -> str:
    words = "would take back" if dry_run else "took back"
    return f"{words} {reaped.before.id}: {reaped.reason}; it is {reaped.after.status}"
