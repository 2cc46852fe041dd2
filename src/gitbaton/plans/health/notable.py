"""Which tasks alarms are judged by (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from gitbaton.core.ids import TaskId
from gitbaton.tasks.model import Task
from gitbaton.tasks.view import View


def notable_tasks(view: View) -> Mapping[TaskId, Task]:
    """Return what is live, with its needs: people wait for nothing else, and it is never many."""
    found = dict(view.live)
    for task in view.live.values():
        for need in task.needs:
            if need not in found and need in view.tasks:
                found[need] = view.tasks[need]
    return found
