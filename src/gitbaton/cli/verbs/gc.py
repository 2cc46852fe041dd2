"""``baton gc``: frees what holds nothing unique."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict

import click

from gitbaton.app import App
from gitbaton.cli.errors import DONE, error_document, exit_status
from gitbaton.cli.output import Output
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb
from gitbaton.commons import Commons
from gitbaton.core.errors import DamagedRecord
from gitbaton.core.process import Process
from gitbaton.hooks.queue import Queue
from gitbaton.work.cleaning import Cleaned, Item
from gitbaton.work.record import ClaimRecord, load_record, recorded_names
from gitbaton.workshop import Workshop
from gitbaton.workspace.sessions.roll import Stage, orphans
from gitbaton.workspace.snapshot.place import find_abandoned, sweep_places


@verb("gc")
@click.option("--dry-run", is_flag=True, help="Only say what would be freed.")
@click.option(
    "--take-over", is_flag=True, help="Take workers that cannot be seen from here for dead."
)
def command(request: Request, dry_run: bool, take_over: bool) -> int:
    """Free what holds nothing unique in this clone, and say what was kept and why.

    Worktrees of workers that died (their work is rescued first), logs older than 30 days, rescues
    older than work.rescue_age (they move to the branch baton-rescue), leftovers of landings,
    sessions whose process is gone, and checkouts in which the hooks of working trees ran that are
    gone; and the objects are packed. Work that is nowhere else is never removed.

    Say --take-over when doctor names a worker of another container and you know that it has ended.
    """
    owners = request.app.owners
    workshop = Workshop(
        request.app, lambda _: None, alive=owners.is_seen if take_over else owners.is_alive
    )
    cleaned = workshop.cleaner.run(dry_run=dry_run)
    checkouts = (find_abandoned if dry_run else sweep_places)(workshop.place)
    cleaned.freed.extend(
        Item("checkout", str(path), "its working tree is gone") for path in checkouts
    )
    _clear_sessions(request.app, cleaned, dry_run=dry_run)
    if not dry_run:
        owners.sweep(lambda: _named(request.app, workshop))
    obstacle = cleaned.obstacle
    document = {
        "freed": [asdict(item) for item in cleaned.freed],
        "kept": [asdict(item) for item in cleaned.kept],
        "dry_run": dry_run,
        **(error_document(obstacle) if obstacle is not None else {}),
    }
    request.output.answer(document, lambda out: _print(out, cleaned, dry_run=dry_run))
    return DONE if obstacle is None else exit_status(obstacle)


def _clear_sessions(app: App, cleaned: Cleaned, *, dry_run: bool) -> None:
    """Clear away the sessions whose process is gone, and name the worktrees that are kept."""
    desk = Commons(app).desk
    dead = orphans(desk.roll(), desk.alive) if dry_run else [e.session for e in desk.sweep()]
    kept = [session for session in desk.roll() if session.stage is Stage.KEPT]
    gone = {session.name for session in dead} - {session.name for session in kept}
    cleaned.freed.extend(Item("session", name, "its process is gone") for name in sorted(gone))
    cleaned.kept.extend(Item("session", s.place, "; ".join(s.reasons)) for s in kept)


def _named(app: App, workshop: Workshop) -> set[Process]:
    """Return the processes that a record of this clone names as the owner of something."""
    events = Queue(app.local, app.clock, app.owners.enter()).waiting()
    sessions = list(Commons(app).desk.roll())
    owners = [
        *(record.owner for record in _claims(app)),
        *(entry.owner for entry in workshop.outbox.entries()),
        *(event.owner for event in events),
        *(session.owner for session in sessions),
        *(session.command for session in sessions),
    ]
    return {owner for owner in owners if owner is not None}


def _claims(app: App) -> Iterator[ClaimRecord]:
    for name in recorded_names(app.repository):
        with suppress(DamagedRecord):  # the sweep has told
            if (record := load_record(app.repository, name)) is not None:
                yield record


def _print(out: Output, cleaned: Cleaned, *, dry_run: bool) -> None:
    word = "would free" if dry_run else "freed"
    for item in cleaned.freed:
        out.say(f"{word} {item.kind} {item.what}: {item.why}")
    for item in cleaned.kept:
        out.say(f"kept {item.kind} {item.what}: {item.why}")
    if not cleaned.freed:
        out.say("nothing to free")
    if cleaned.obstacle is not None:
        out.complain(f"baton: {cleaned.obstacle.message}")
        if cleaned.obstacle.next:
            out.complain(f"  next: {cleaned.obstacle.next}")
