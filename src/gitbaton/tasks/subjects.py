"""The audit lines: how each change of a task is told in one line, and how they are read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gitbaton.store.model import Change, split_key
from gitbaton.tasks.model import COLLECTION, Task
from gitbaton.tasks.text import clean_line

WORDS: Final = frozenset(
    {
        "add",
        "claim",
        "renew",
        "announce",
        "done",
        "review",
        "block",
        "release",
        "fail",
        "reset",
        "cancel",
        "retry",
        "unblock",
        "accept",
        "reject",
        "edit",
        "approve",
        "revoke",
    }
)


@dataclass(frozen=True, slots=True)
class Event:
    """One transition, from the store's history. ``event``: the word before the subject's colon."""

    at: str
    actor: str
    task: str
    event: str
    epoch: int | None
    subject: str
    commit: str


def added(tasks: Sequence[Task]) -> str:
    """Return the line of an addition, e.g. ``add: task-001 Fix the parser``."""
    more = f" and {len(tasks) - 1} more" if len(tasks) > 1 else ""
    first = clean_line(f"{tasks[0].id} {tasks[0].title}", 120)
    return f"add: {first}{more}"


def by_holder(word: str, task: str, agent: str, remark: str | None = None) -> str:
    """Return the line of what a holder did, e.g. ``claim: task-001 by laptop-C/w1#2``."""
    return _line(f"{word}: {task} by {agent}", remark)


def by_person(word: str, task: str, remark: str | None = None) -> str:
    """Return the line of what a person decided, e.g. ``retry: task-001``."""
    return _line(f"{word}: {task}", remark)


def timed_out(task: Task) -> str:
    """Return why a task over its timeout is reset, e.g. ``timed out after 30min``."""
    return f"timed out after {_spell(task.timeout or 0.0)}"


def ran_out(task: Task) -> str:
    """Return why an unrenewed claim is reset, e.g. ``lease of laptop-C/w1#2 ran out``."""
    return f"lease of {task.claim.agent if task.claim else 'nobody'} ran out"


def reset(task: str, reason: str) -> str:
    """Return the line of a reset, e.g. ``reset: task-007 timed out after 30min``."""
    return clean_line(f"reset: {task} {reason}")


def parse_change(change: Change) -> Event | None:
    """Return the transition that a change in the history tells of.

    None for what is no task's, and for heartbeats. A line that is none of ours is kept with the
    word ``unknown``.
    """
    collection, name = split_key(change.key)
    word = change.subject.partition(":")[0]
    if collection != COLLECTION or word == "renew":
        return None
    epoch = change.value.get("epoch") if change.value is not None else None
    return Event(
        at=change.at,
        actor=clean_line(change.actor),
        task=name,
        event=word if word in WORDS else "unknown",
        epoch=epoch if type(epoch) is int else None,
        subject=clean_line(change.subject, 1000),
        commit=str(change.version),
    )


def _line(head: str, remark: str | None) -> str:
    first = (remark or "").strip().partition("\n")[0]
    return clean_line(f"{head}: {first}" if first else head)


def _spell(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"
