"""The fleet and its tasks: what does not fit together, and what waits for people (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from gitbaton.cli.doctor.finding import Finding, note, ok, warning
from gitbaton.core.durations import format_duration
from gitbaton.tasks.budget import HeartbeatLoad, PushBudget, heartbeat_load
from gitbaton.tasks.machine import FINISHED, next_command
from gitbaton.tasks.model import Task
from gitbaton.tasks.overdue import find_overdue


def examine_load(tasks: Iterable[Task], lease: float, budget: PushBudget) -> Iterator[Finding]:
    """Compare the renewals of the workers seen with the pushes that they may send in all.

    ``lease``: the one that is configured, in seconds.
    """
    load = heartbeat_load(tasks, budget)
    if not load.fits:
        yield warning("lease", load.text, next=load.advice)
    elif lease < HeartbeatLoad(load.workers, 0.0, budget).fitting_lease:
        words = f"{format_duration(lease)} is short for {load.workers} workers"
        yield warning("lease", words, next=load.advice)
    elif load.workers:
        yield ok("lease", f"{load.text} (of {budget.a_minute:.0f} in the budget)")


def examine_capabilities(tasks: Collection[Task], own: Collection[str]) -> Iterator[Finding]:
    """Say which capabilities are required that nobody has shown to have.

    Shown by having claimed a task that requires it. ``own``: what this machine has.
    """
    shown = {word for task in tasks if task.epoch for word in task.requires} | set(own)
    waiting: dict[str, list[str]] = {}
    for task in tasks:
        if task.status not in FINISHED:
            for word in task.requires:
                if word not in shown:
                    waiting.setdefault(word, []).append(task.id)
    for word, ids in sorted(waiting.items()):
        yield note(
            "capabilities",
            f"{', '.join(ids[:3])}{' …' if len(ids) > 3 else ''}: nobody has shown {word!r} so far",
            next=f"start a worker that has it: baton work --cap {word}",
        )


def examine_waiting(tasks: Collection[Task], now: datetime) -> Iterator[Finding]:
    """Name the tasks that have waited for a person for more than a day."""
    for task in find_overdue(tasks, now):
        text = f"{task.id} is {task.status} since {task.updated_at}"
        yield warning("tasks", text, next=next_command(task))
