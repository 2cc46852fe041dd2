"""What the board shows of the tasks, and which tasks wait on it (pure, deterministic)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gitbaton.core.errors import DamagedRecord
from gitbaton.store.model import Value
from gitbaton.tasks.machine import FINISHED, OPEN
from gitbaton.tasks.model import COLLECTION, Status, Task, task_key
from gitbaton.tasks.validation import decode_task

LIVE_WINDOW: Final = 256
NEVER_PARKED: Final = OPEN - {Status.PENDING}
"""The statuses of tasks that are always live: whoever wants only these needs no others."""

_UNREAD: Final = (10**6, "", "")


@dataclass(slots=True)
class TaskBoardPolicy:
    """The meaning of tasks for the engine's board (``store.protocol.BoardPolicy``)."""

    collection: str = COLLECTION
    live_window: int = LIVE_WINDOW

    def finished(self, value: Value) -> bool:
        """Tell whether the task is done, failed or cancelled."""
        return value.get("status") in FINISHED

    def parkable(self, value: Value) -> bool:
        """Tell whether the task is pending: nobody holds it, nobody is asked about it."""
        return value.get("status") == Status.PENDING

    def order(self, name: str, value: Value) -> tuple[object, ...]:
        """Return the sort key of the claim order: priority, age, id."""
        priority, created = value.get("priority"), value.get("created_at")
        if type(priority) is not int or not isinstance(created, str):
            return (*_UNREAD[:2], name)
        return (priority, created, name)

    def wanted(self, records: Mapping[str, Value]) -> int:
        """Return how many more to stage: up to half the window looking ready, once it is a quarter.

        A task looks ready when it is pending and no live task that it needs is still open.
        """
        tasks, _ = read_values(records)
        ready = sum(_looks_ready(task, tasks) for task in tasks.values())
        if ready * 4 >= self.live_window:
            return 0
        return max(self.live_window // 2 - ready, 1)

    def render(self, records: Mapping[str, Value], *, others: int = 0) -> Mapping[str, bytes]:
        """Return ``tasks.json`` for programs and ``README.md`` for people."""
        tasks, damaged = read_values(records)
        from gitbaton.tasks.page import render_page  # whoever only reads renders nothing

        page = render_page(tasks, damaged, others=others)
        return {"tasks.json": _listing(tasks), "README.md": page}


def read_values(records: Mapping[str, Value]) -> tuple[dict[str, Task], dict[str, str]]:
    """Return the tasks by id, and the reasons by name for records that are none."""
    tasks: dict[str, Task] = {}
    damaged: dict[str, str] = {}
    for name in sorted(records):
        try:
            tasks[name] = decode_task(task_key(name), records[name])
        except DamagedRecord as error:
            damaged[name] = error.message
    return tasks, damaged


def _looks_ready(task: Task, live: Mapping[str, Task]) -> bool:
    return task.status is Status.PENDING and all(
        need not in live or live[need].status in (Status.DONE, Status.REVIEW) for need in task.needs
    )


def _listing(tasks: Mapping[str, Task]) -> bytes:
    """Return the tasks one a line, so that a change of one is a change of one line."""
    lines = [
        json.dumps(
            {
                "id": task.id,
                "status": task.status.value,
                "claimedBy": task.claim.agent if task.claim else None,
                "claimedAt": task.claim.claimed_at if task.claim else None,
            },
            ensure_ascii=False,
        )
        for task in tasks.values()
    ]
    body = ",\n    ".join(lines)
    inside = f"[\n    {body}\n  ]" if lines else "[]"
    return f'{{\n  "tasks": {inside}\n}}\n'.encode()
