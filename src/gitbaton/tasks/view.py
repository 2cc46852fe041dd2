"""All tasks at one moment, decoded from a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitbaton.core.errors import DamagedRecord, UnknownTask
from gitbaton.core.ids import TaskId
from gitbaton.store.model import Key, Snapshot, Version, split_key
from gitbaton.tasks.leases import Sight
from gitbaton.tasks.model import COLLECTION, Task, task_key
from gitbaton.tasks.validation import decode_task


@dataclass(frozen=True, slots=True)
class View:
    """All tasks at one moment, with the versions to replace them and what is damaged.

    ``sights``: how long this observer has watched those for which time matters.
    """

    tasks: Mapping[TaskId, Task]
    versions: Mapping[TaskId, Version]
    damaged: Mapping[Key, str]
    asked: float
    answered: float
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
    damaged = {key: why for key, why in snapshot.damaged.items() if _is_task(key)}
    for key, record in snapshot.records.items():
        if not _is_task(key):
            continue
        name = TaskId(split_key(key)[1])
        if known is not None and known.versions.get(name) == record.version:
            tasks[name] = known.tasks[name]
        else:
            try:
                tasks[name] = decode_task(key, record.value)
            except DamagedRecord as error:
                damaged[key] = error.message
                continue
        versions[name] = record.version
    return View(tasks, versions, damaged, snapshot.asked, snapshot.answered)


def _is_task(key: str) -> bool:
    return key.startswith(f"{COLLECTION}/")
