"""All tasks at one moment, as a snapshot shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gitbaton.core.errors import DamagedRecord, UnknownTask
from gitbaton.core.ids import TaskId
from gitbaton.store.model import Key, Move, Snapshot, Version
from gitbaton.tasks.decoded import Decoded, Memory
from gitbaton.tasks.leases import Sight
from gitbaton.tasks.model import COLLECTION, Task

_PREFIX: Final = f"{COLLECTION}/"


@dataclass(frozen=True, slots=True)
class View:
    """All tasks at one moment, and what this observer knows of them.

    ``tasks`` is complete and lazy: look single ones up, iterate only where all are wanted. ``live``
    are those that are worked on now, few however long the backlog is: whoever claims, renews,
    ends or reaps needs no others. A parked task is pending or finished, nobody holds it.
    ``provisional``: the live tasks whose value is newer than their version
    (``store.model.Record``). ``sights``: how long this observer has watched those for which time
    matters.
    """

    snapshot: Snapshot
    tasks: Decoded
    live: Mapping[TaskId, Task]
    provisional: frozenset[TaskId] = frozenset()
    sights: Mapping[TaskId, Sight] = field(default_factory=dict)

    @property
    def moves(self) -> Mapping[TaskId, Sequence[Move]]:
        """The refs that were moved with live tasks' present versions. Reads all of the live."""
        records = self.snapshot.live
        return {id: moved for id, t in self.live.items() if (moved := records[t.key].moves)}

    @property
    def asked(self) -> float:
        """The observer's clock just before the look."""
        return self.snapshot.asked

    @property
    def answered(self) -> float:
        """The observer's clock just after the look."""
        return self.snapshot.answered

    @property
    def versions(self) -> Mapping[TaskId, Version]:
        """What must be named to replace each task; as lazy as ``tasks``."""
        return Versions(self.tasks)

    @property
    def pending(self) -> Sequence[Task]:
        """All pending tasks by priority, age, id. Asks for the whole backlog."""
        return self.tasks.whole().pending

    @property
    def damaged(self) -> Mapping[Key, str]:
        """Why some records are no tasks. Asks for the whole backlog."""
        return self.tasks.whole().damaged

    @property
    def damaged_live(self) -> Mapping[Key, str]:
        """Why some records are no tasks, of those that are not parked. Asks for no others."""
        live = [key for key in self.snapshot.live if key.startswith(_PREFIX)]
        found = {key: self.damage(key.removeprefix(_PREFIX)) for key in live}
        misread = {key: why for key, why in found.items() if why is not None}
        return {**self.snapshot.damaged, **misread}

    @property
    def has_parked(self) -> bool:
        """Whether there are records besides the live ones."""
        return len(self.snapshot.records) > len(self.snapshot.live)

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
        return self.tasks.damage(TaskId(task))

    def sight(self, task: str) -> Sight:
        """Return how long ``task`` has been watched."""
        return self.sights.get(TaskId(task), Sight())


class Versions(Mapping[TaskId, Version]):
    """The version of each task."""

    def __init__(self, tasks: Decoded) -> None:
        self._tasks = tasks

    def __getitem__(self, id: TaskId) -> Version:
        version = self._tasks.version(id)
        if version is None:
            raise KeyError(id)
        return version

    def __iter__(self) -> Iterator[TaskId]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)


def read_tasks(snapshot: Snapshot, known: View | None = None) -> View:
    """Return the tasks in ``snapshot``; those ``known`` at the same version are not decoded again.

    A record that is no task is told of by ``View.damage`` and stops nobody else.
    """
    tasks = Decoded(snapshot, Memory() if known is None else known.tasks.memory)
    live: dict[TaskId, Task] = {}
    provisional: set[TaskId] = set()
    for key, record in snapshot.live.items():
        task = tasks.read(key, record) if key.startswith(_PREFIX) else None
        if task is None:
            continue
        live[task.id] = task
        if record.provisional:
            provisional.add(task.id)
    return View(snapshot, tasks, live, provisional=frozenset(provisional))
