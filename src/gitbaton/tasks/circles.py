"""Needs that go in a circle (pure): such tasks can never start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gitbaton.core.ids import TaskId
from gitbaton.tasks.model import Task


def find_cycle(needs: Mapping[str, Sequence[str]], starts: Sequence[str]) -> list[str] | None:
    """Return a circle of needs reachable from ``starts``, as its path, or None.

    The first and last id are the same. Linear in the needs that are looked at.
    """
    finished: set[str] = set()
    for start in starts:
        path: list[str] = []
        place: dict[str, int] = {}
        todo: list[tuple[str, bool]] = [(start, False)]
        while todo:
            task, leaving = todo.pop()
            if leaving:
                finished.add(task)
                del place[path.pop()]
            elif task in place:
                return [*path[place[task] :], task]
            elif task not in finished:
                place[task] = len(path)
                path.append(task)
                todo.append((task, True))
                todo.extend((need, False) for need in reversed(needs.get(task, ())))
    return None


def needs_below(tasks: Mapping[TaskId, Task], starts: Iterable[TaskId]) -> dict[str, Sequence[str]]:
    """Return the needs of all ``tasks`` that can be reached from ``starts``, by id."""
    needs: dict[str, Sequence[str]] = {}
    todo = list(starts)
    while todo:
        id = todo.pop()
        task = tasks.get(id)
        if task is not None and id not in needs:
            needs[id] = task.needs
            todo += task.needs
    return needs
