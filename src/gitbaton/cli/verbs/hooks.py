"""``baton hooks``: what hooks were not told yet, or could not be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from gitbaton.cli.output import Cell, Output
from gitbaton.cli.request import Request
from gitbaton.cli.verb import family
from gitbaton.core.errors import Refused
from gitbaton.fleet import Fleet
from gitbaton.hooks.queue import Entry, Queue

command = family(
    "hooks",
    """Show what hooks are yet to be told, and what they could not be.

    Hooks are commands and webhooks of [hooks.NAME] in baton.toml. A worker tells them beside its
    work, tries again when they fail, and puts aside what they do not take.
    """,
)


@command.member("list")
def list_entries(request: Request) -> None:
    """List what waits, and what was put aside."""
    queue = Fleet(request.app).hook_queue
    waiting, dead = queue.waiting(), queue.dead()
    document = {
        "waiting": [_document(entry) for entry in waiting],
        "dead": [_document(entry) for entry in dead],
    }
    request.output.answer(document, lambda out: _print(out, waiting, dead))


@command.member("retry")
@click.argument("ids", metavar="[ID]...", nargs=-1)
def retry(request: Request, ids: tuple[str, ...]) -> None:
    """Let events that were put aside wait again: these, or all. The next worker tells them."""
    queue = Fleet(request.app).hook_queue
    count = queue.revive(_chosen(queue, ids))
    request.output.answer({"waiting": count}, lambda out: out.say(f"{count} wait again"))


@command.member("drop")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
def drop(request: Request, ids: tuple[str, ...]) -> None:
    """Forget events that were put aside."""
    queue = Fleet(request.app).hook_queue
    count = queue.drop(_chosen(queue, ids))
    request.output.answer({"dropped": count}, lambda out: out.say(f"{count} forgotten"))


def _chosen(queue: Queue, ids: Sequence[str]) -> list[Entry]:
    dead = queue.dead()
    unknown = sorted(set(ids) - {entry.event.id for entry in dead})
    if unknown:
        raise Refused(
            f"no event {unknown[0]!r} was put aside", code="unknown_event", next="baton hooks list"
        )
    return [entry for entry in dead if not ids or entry.event.id in ids]


def _document(entry: Entry) -> dict[str, Any]:
    event = entry.event
    return {
        "id": event.id,
        "hook": entry.hook,
        "event": event.event,
        "at": event.at,
        "task": event.task,
        "text": event.text,
        "attempts": entry.attempts,
        "trouble": entry.trouble or None,
    }


def _print(out: Output, waiting: Sequence[Entry], dead: Sequence[Entry]) -> None:
    if not waiting and not dead:
        out.say("nothing waits, and nothing was put aside")
    for title, entries in (("waits", waiting), ("put aside", dead)):
        if entries:
            rows: list[Sequence[Cell]] = [
                (entry.event.id, entry.hook, entry.event.event, _what(entry)) for entry in entries
            ]
            out.table((title.upper(), "HOOK", "EVENT", "WHAT"), rows)
    if dead:
        out.hint("  next: baton hooks retry [ID]..., or baton hooks drop ID...")


def _what(entry: Entry) -> str:
    subject = f"{entry.event.task}: " if entry.event.task else ""
    return entry.trouble or f"{subject}{entry.event.text}"
