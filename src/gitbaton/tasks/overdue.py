"""Which tasks have waited for a person for too long (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from gitbaton.core.clock import parse_rfc3339
from gitbaton.tasks.model import Status, Task

LONG: Final = 86400.0  # seconds


def find_overdue(tasks: Iterable[Task], now: datetime) -> list[Task]:
    """Return the tasks in review or blocked that nobody has touched for a day, oldest first.

    By wall clocks, so it may be wrong; it is told to people and decides nothing (I5).
    """
    waiting = [t for t in tasks if t.status in (Status.REVIEW, Status.BLOCKED)]
    old = [t for t in waiting if (now - parse_rfc3339(t.updated_at)).total_seconds() > LONG]
    return sorted(old, key=lambda task: (task.updated_at, task.id))
