"""Workers as people and programs read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from gitbaton.cli.output import Cell, Output
from gitbaton.core.clock import parse_rfc3339
from gitbaton.plans.registry.presence import Presence, Sighted
from gitbaton.plans.registry.record import UP
from gitbaton.plans.registry.registry import Workers
from gitbaton.tasks.model import Task

_COLORS: Final = {
    Presence.SERVING: "green",
    Presence.REFUSING: "red",
    Presence.DRAINING: "yellow",
    Presence.LOST: "red",
    Presence.GONE: "dim",
    Presence.ABSENT: "dim",
}
_SILENT: Final = 4  # beats that are missing by the wall clock: told to people, decides nothing


def worker_document(seen: Sighted) -> dict[str, Any]:
    """Return ``seen`` as JSON. ``state`` is as seen from here; ``watched`` in seconds."""
    plain: dict[str, Any] = msgspec.to_builtins(seen.worker)
    plain.pop("session")
    return {**plain, "state": seen.presence.value, "watched": seen.watched}


def find_others(tasks: Iterable[Task], workers: Workers) -> list[dict[str, Any]]:
    """Return who holds claims and is not among ``workers``, as JSON: `baton work`, and people."""
    held: dict[tuple[str, str], list[str]] = {}
    for task in tasks:
        claim = task.claim
        if claim is not None and claim.worker not in workers.found:
            held.setdefault((claim.worker, claim.machine), []).append(task.id)
    return [
        {"worker": worker, "machine": machine, "tasks": sorted(ids)}
        for (worker, machine), ids in sorted(held.items())
    ]


def print_others(out: Output, others: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each who holds claims without being in the registry."""
    for other in others:
        tasks = ", ".join(other["tasks"])
        out.say(f"{other['worker']} on {other['machine']} works unannounced: {tasks}")


def print_workers(out: Output, workers: Workers, now: datetime) -> None:
    """Print a table of workers, why those that refuse do, and what cannot be read."""
    seen = list(workers.found.values())
    if not seen:
        out.say("no worker is known yet")
        out.hint("  next: baton worker add HOST, or on a machine: baton worker serve")
    else:
        columns = ("WORKER", "MACHINE", "STATE", "SLOTS", "SEEN", "HAS")
        out.table(columns, [_row(each, now, tools=out.verbose) for each in seen])
    for each in seen:
        if each.worker.reason and each.presence is Presence.REFUSING:
            out.say(f"{each.worker.name} takes no tasks: {each.worker.reason}")
    for key, reason in workers.damaged.items():
        out.note(f"{key} cannot be read: {reason}; next: baton doctor")


def _row(seen: Sighted, now: datetime, *, tools: bool) -> Sequence[Cell]:
    worker = seen.worker
    has = list(worker.capabilities)
    if tools:
        has += [f"{tool} {version}" for tool, version in worker.toolchain.items()]
    return (
        worker.name,
        worker.machine,
        _state(seen, now),
        f"{len(worker.busy)}/{worker.slots}",
        _ago(worker.beat_at, now),
        ", ".join(has),
    )


def _state(seen: Sighted, now: datetime) -> Cell:
    """Return the state. Who was not watched for long is shown as silent by the wall clock."""
    presence, at = seen.presence, seen.worker.beat_at
    if presence.value in UP and at is not None:
        late = (now - parse_rfc3339(at)).total_seconds()
        if late > _SILENT * seen.worker.interval:
            return f"{presence}, silent", "yellow"
    return presence.value, _COLORS[presence]


def _ago(at: str | None, now: datetime) -> str:
    if at is None:
        return "never"
    import humanize

    return humanize.naturaltime(now - parse_rfc3339(at))
