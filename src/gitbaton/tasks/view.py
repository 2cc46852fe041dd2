"""All tasks at one moment, as a snapshot shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gitbaton.core.errors import DamagedRecord, UnknownTask
from gitbaton.core.ids import TaskId
from gitbaton.store.model import Key, Move, Snapshot, Version
from gitbaton.tasks.decoded import Decoded, Memory
from gitbaton.tasks.leases import Sight
from gitbaton.tasks.model import COLLECTION, Task


@dataclass(frozen=True, slots=True)
class View:
    """All tasks at one moment, and what this observer knows of them.

    ``tasks`` is complete and lazy: look single ones up, iterate only where all are wanted. ``live``
    are those that are worked on now, few however long the backlog is: whoever claims, renews,
    ends or reaps needs no others. A parked task is pending or finished, nobody holds it. ``moves``:
    the refs that were moved by the transaction that wrote a live task's present version.
    ``provisional``: the live tasks whose value is newer than their version
    (``store.model.Record``). ``sights``: how long this observer has watched those for which time
    matters.
    """

    snapshot: Snapshot
    tasks: Decoded
    live: Mapping[TaskId, Task]
    moves: Mapping[TaskId, Sequence[Move]] = field(default_factory=dict)
    provisional: frozenset[TaskId] = frozenset()
    sights: Mapping[TaskId, Sight] = field(default_factory=dict)

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
    moves: dict[TaskId, Sequence[Move]] = {}
    provisional: set[TaskId] = set()
    for key, record in snapshot.live.items():
        collection, _, name = key.partition("/")
        id = TaskId(name)
        task = tasks.get(id) if collection == COLLECTION else None
        if task is None:
            continue
        live[id] = task
        if record.moves:
            moves[id] = record.moves
        if record.provisional:
            provisional.add(id)
    return View(
        snapshot=snapshot,
        tasks=tasks,
        live=live,
        moves=moves,
        provisional=frozenset(provisional),
    )
