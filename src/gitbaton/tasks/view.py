"""All tasks at one moment, decoded from a snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gitbaton.core.errors import DamagedRecord, UnknownTask
from gitbaton.core.ids import TaskId
from gitbaton.store.model import Key, Move, Record, Snapshot, Version, split_key
from gitbaton.tasks.leases import Sight
from gitbaton.tasks.model import COLLECTION, Task, task_key
from gitbaton.tasks.validation import decode_task


@dataclass(frozen=True, slots=True)
class View:
    """All tasks at one moment, with the versions to replace them and what is damaged.

    ``moves``: the refs that were moved by the transaction that wrote a task's present version,
    of tasks where there were any. ``provisional``: the tasks whose value is newer than their
    version (``store.model.Record``). ``sights``: how long this observer has watched those for
    which time matters.
    """

    tasks: Mapping[TaskId, Task]
    versions: Mapping[TaskId, Version]
    damaged: Mapping[Key, str]
    asked: float
    answered: float
    moves: Mapping[TaskId, Sequence[Move]] = field(default_factory=dict)
    provisional: frozenset[TaskId] = frozenset()
    sights: Mapping[TaskId, Sight] = field(default_factory=dict)

    def find(self, task: str) -> Task:
        """Return the task with this id; raise UnknownTask, or DamagedRecord if it is one."""
        found = self.tasks.get(TaskId(task))
        if found is not None:
            return found
        reason = self.damage(task)
        if reason is not None:
            raise DamagedRecord(reason, next="baton doctor")
        raise UnknownTask(task)

    def damage(self, task: str) -> str | None:
        """Return why the record of ``task`` cannot be read, None if it can or is not there."""
        return self.damaged.get(task_key(task)) if self.damaged and task else None

    def sight(self, task: str) -> Sight:
        """Return how long ``task`` has been watched."""
        return self.sights.get(TaskId(task), Sight())


def read_tasks(snapshot: Snapshot, known: View | None = None) -> View:
    """Return the tasks in ``snapshot``; those ``known`` at the same version are not decoded again.

    A record that is no task is listed in ``damaged`` with the reason and stops nobody else.
    """
    tasks: dict[TaskId, Task] = {}
    versions: dict[TaskId, Version] = {}
    moves: dict[TaskId, Sequence[Move]] = {}
    provisional: set[TaskId] = set()
    damaged = {key: why for key, why in snapshot.damaged.items() if _is_task(key)}
    for key, record in snapshot.records.items():
        if not _is_task(key):
            continue
        name = TaskId(split_key(key)[1])
        same = _known_at(known, name, record)
        try:
            tasks[name] = same if same is not None else decode_task(key, record.value)
        except DamagedRecord as error:
            damaged[key] = error.message
            continue
        versions[name] = record.version
        if record.moves:
            moves[name] = record.moves
        if record.provisional:
            provisional.add(name)
    return View(
        tasks=tasks,
        versions=versions,
        damaged=damaged,
        asked=snapshot.asked,
        answered=snapshot.answered,
        moves=moves,
        provisional=frozenset(provisional),
    )


def _known_at(known: View | None, name: TaskId, record: Record) -> Task | None:
    """Return the task as it was decoded from this very version before, None if it never was.

    A provisional value comes under the version before it: there one version has two values.
    """
    if known is None or record.provisional or name in known.provisional:
        return None
    return known.tasks[name] if known.versions.get(name) == record.version else None


def _is_task(key: str) -> bool:
    return key.startswith(f"{COLLECTION}/")
