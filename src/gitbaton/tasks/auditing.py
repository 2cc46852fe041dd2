"""Reading the audit trail: every transition of a task, from the store's history."""

from __future__ import annotations

from gitbaton.core.ids import task_id
from gitbaton.tasks.ledger import Ledger
from gitbaton.tasks.model import task_key
from gitbaton.tasks.subjects import Event, parse_change


def log(ledger: Ledger, task: str | None, *, limit: int | None = None) -> list[Event]:
    """Return the transitions of ``task`` (None: of all tasks), newest first.

    The history also has heartbeats and other records; so more is asked for until enough is found.
    """
    key = None if task is None else task_key(task_id(task))
    wanted = limit
    while True:
        changes = ledger.store.history(key, limit=wanted)
        events = [event for change in changes if (event := parse_change(change)) is not None]
        if limit is None or wanted is None or len(events) >= limit or len(changes) < wanted:
            return events[:limit]
        wanted *= 4
