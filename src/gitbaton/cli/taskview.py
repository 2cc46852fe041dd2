"""Tasks as people read them: rows of a table, and one task in full."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from gitbaton.cli.output import Cell, Output
from gitbaton.core.clock import parse_rfc3339
from gitbaton.core.durations import format_duration
from gitbaton.tasks.model import Status, Task

_COLORS: Final = {
    Status.PENDING: "",
    Status.IN_PROGRESS: "cyan",
    Status.REVIEW: "magenta",
    Status.BLOCKED: "yellow",
    Status.DONE: "green",
    Status.FAILED: "red",
    Status.CANCELLED: "dim",
}


def status_cell(task: Task) -> Cell:
    """Return the status of ``task`` in its colour."""
    return str(task.status), _COLORS[task.status]


def print_tasks(output: Output, tasks: Sequence[Task], *, empty: str) -> None:
    """Print ``tasks`` as a table, or ``empty`` if there is none."""
    if not tasks:
        output.say(empty)
        return
    rows: list[Sequence[Cell]] = [
        (task.id, status_cell(task), str(task.priority), _holder(task) + task.title)
        for task in tasks
    ]
    output.table(("ID", "STATUS", "PRIO", "TITLE"), rows)


def print_task(output: Output, task: Task, *, now: datetime, approved: bool) -> None:
    """Print everything about ``task``."""
    output.say(f"{task.id}  {task.title}")
    for name, value in _facts(task, now=now, approved=approved):
        if value:
            output.say(f"  {name + ':':<13} {value}")
    if task.body.strip():
        output.say("")
        output.say("\n".join(f"    {line}".rstrip() for line in task.body.splitlines()))
    for remark in task.remarks:
        output.say("")
        output.say(f"  {remark.kind} by {remark.by}, {ago(remark.at, now)}:")
        output.say("\n".join(f"    {line}".rstrip() for line in remark.text.splitlines()))


def ago(moment: str, now: datetime) -> str:
    """Return how long ago ``moment`` (RFC 3339) was, in words. For people only (I5)."""
    return f"{since(moment, now)} ago"


def since(moment: str, now: datetime) -> str:
    """Return how long it is since ``moment`` (RFC 3339), in words such as ``3 minutes``."""
    import humanize

    try:
        return humanize.naturaldelta(now - parse_rfc3339(moment))
    except ValueError:
        return "an unknown time"


def _holder(task: Task) -> str:
    return f"[{task.claim.agent}] " if task.claim is not None else ""


def _facts(task: Task, *, now: datetime, approved: bool) -> Iterable[tuple[str, str]]:
    yield "status", str(task.status)
    if task.claim is not None:
        claim = task.claim
        yield "held by", f"{claim.agent} ({claim.worker} on {claim.machine}), epoch {claim.epoch}"
        yield "claimed", f"{ago(claim.claimed_at, now)}, renewed {ago(claim.renewed_at, now)}"
        yield "lease", format_duration(claim.lease)
    yield "reason", task.reason or ""
    yield "priority", str(task.priority)
    yield "needs", ", ".join(task.needs)
    yield "requires", ", ".join(task.requires)
    yield "paths", ", ".join(task.paths)
    for check in task.checks:
        yield "check", check
    if task.gate is not None:
        yield "gate", f"{task.gate} ({'approved' if approved else 'not approved'})"
    yield "labels", ", ".join(task.labels)
    yield "target", task.target or ""
    yield "plan", task.plan or ""
    yield "deliverable", task.deliverable or ""
    yield "attempts", f"{task.attempts} of {task.max_attempts}" if task.attempts else ""
    yield "timeout", format_duration(task.timeout) if task.timeout else ""
    yield "ticket", task.external_ref or ""
    yield "branch", task.branch or ""
    if task.result is not None:
        yield "result", task.result.text or ""
        landed = (task.result.branch, task.result.commit)
        yield "published", " at ".join(part for part in landed if part)
    yield "created", f"{ago(task.created_at, now)} by {task.created_by or 'somebody'}"
    yield "updated", ago(task.updated_at, now)
