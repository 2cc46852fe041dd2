"""The tasks of a snapshot, decoded when they are asked for and remembered by version.

A backlog may hold 100,000 tasks, and a claim is about one. So nothing here looks at all of them
before somebody wants all; and who wants all again pays for what has changed since.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, Protocol, runtime_checkable

from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import TaskId
from gitbaton.store.model import Key, Record, Snapshot, Version
from gitbaton.tasks.model import COLLECTION, Status, Task
from gitbaton.tasks.validation import decode_task

RANK: Final = attrgetter("priority", "created_at", "id")
"""The order in which tasks are claimed: priority, then age, then id."""

_FEW: Final = 1000  # changes that are cheaper to put in place than to sort everything
_PREFIX: Final = f"{COLLECTION}/"


@runtime_checkable
class Traced(Protocol):
    """Records of a snapshot that know how they differ from those of another of the same store."""

    def changed_since(self, other: Mapping[Key, Record]) -> Collection[Key] | None:
        """Return at least the keys whose records are not the same; None: it cannot be told.

        Deleted, damaged and provisional ones count, in either of the two.
        """
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """Every task of a snapshot, and the pending ones by rank.

    ``unreadable``: why keys have no record; ``misread``: why records are no tasks.
    """

    records: Mapping[Key, Record]
    tasks: Mapping[TaskId, Task]
    unreadable: Mapping[Key, str]
    misread: Mapping[Key, str]
    pending: Sequence[Task]

    @property
    def damaged(self) -> Mapping[Key, str]:
        """Why some keys have no task."""
        return {**self.unreadable, **self.misread}


@dataclass(slots=True)
class Memory:
    """What was decoded of earlier snapshots: each task's last version, and the last whole."""

    found: dict[TaskId, tuple[Version, Task | str]] = field(default_factory=dict)
    whole: Whole | None = None


class Decoded(Mapping[TaskId, Task]):
    """The readable tasks of ``snapshot`` by id. Complete; a look-up decodes one task at most.

    What is in ``memory`` at the same version is not decoded again. Thread-safe.
    """

    def __init__(self, snapshot: Snapshot, memory: Memory) -> None:
        self.memory = memory
        self._records = snapshot.records
        self._unreadable = snapshot.damaged
        self._whole: Whole | None = None

    def __getitem__(self, id: TaskId) -> Task:
        found = self._find(id)
        if not isinstance(found, Task):
            raise KeyError(id)
        return found

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and isinstance(self._find(TaskId(id)), Task)

    def __iter__(self) -> Iterator[TaskId]:
        return iter(self.whole().tasks)

    def __len__(self) -> int:
        return len(self.whole().tasks)

    def read(self, key: Key, record: Record) -> Task | None:
        """Return the task in ``record``, which is this snapshot's; None if it cannot be read."""
        found = self._decode(key, TaskId(key[len(_PREFIX) :]), record)
        return found if isinstance(found, Task) else None

    def version(self, id: TaskId) -> Version | None:
        """Return the version of the task's record, None if it is not there."""
        record = self._records.get(Key(_PREFIX + id))
        return None if record is None else record.version

    def damage(self, id: TaskId) -> str | None:
        """Return why the record of this task cannot be read, None if it can or is not there."""
        found = self._find(id)
        return found if isinstance(found, str) else None

    def whole(self) -> Whole:
        """Return all tasks. Costs the whole backlog once, then what has changed."""
        if self._whole is None:
            self._whole = self.memory.whole = self._read_all(self.memory.whole)
        return self._whole

    def _find(self, id: TaskId) -> Task | str | None:
        """Return the task, or why it cannot be read, or None."""
        if self._whole is not None and (task := self._whole.tasks.get(id)) is not None:
            return task
        key = Key(_PREFIX + id)
        record = self._records.get(key)
        return self._unreadable.get(key) if record is None else self._decode(key, id, record)

    def _decode(self, key: Key, id: TaskId, record: Record) -> Task | str:
        """Return the task in ``record``, or why there is none.

        A provisional value comes under the version before it: there one version has two values,
        so it is neither remembered nor taken from memory (I6).
        """
        known = self.memory.found.get(id)
        if known is not None and known[0] == record.version and not record.provisional:
            return known[1]
        found: Task | str
        try:
            found = decode_task(key, record.value)
        except DamagedRecord as error:
            found = error.message
        if not record.provisional:
            self.memory.found[id] = record.version, found
        return found

    def _read_all(self, base: Whole | None) -> Whole:
        unreadable = {k: why for k, why in self._unreadable.items() if k.startswith(_PREFIX)}
        changed = _changes(base, self._records)
        tasks: dict[TaskId, Task] = {}
        misread: dict[Key, str] = {}
        read: Iterable[tuple[Key, Record]] = self._records.items()
        if base is not None and changed is not None:
            changed = {*changed, *unreadable, *base.unreadable}
            tasks.update(base.tasks)
            misread.update(base.misread)
            read = self._some(changed, tasks, misread)
        for key, record in read:
            if not key.startswith(_PREFIX):
                continue
            id = TaskId(key[len(_PREFIX) :])
            found = self._decode(key, id, record)
            if isinstance(found, Task):
                tasks[id] = found
            else:
                misread[key] = found
        pending = _pending(base, tasks, changed)
        return Whole(self._records, tasks, unreadable, misread, pending)

    def _some(
        self, changed: Collection[Key], tasks: dict[TaskId, Task], misread: dict[Key, str]
    ) -> Iterator[tuple[Key, Record]]:
        """Yield the records under ``changed``, having taken out what they were before."""
        for key in changed:
            tasks.pop(TaskId(key.removeprefix(_PREFIX)), None)
            misread.pop(key, None)
            record = self._records.get(key)
            if record is not None:
                yield key, record


def _changes(base: Whole | None, records: Mapping[Key, Record]) -> Collection[Key] | None:
    """Return the keys that may have changed since ``base``, None if all have to be looked at."""
    if base is None:
        return None
    if base.records is records:
        return ()
    return records.changed_since(base.records) if isinstance(records, Traced) else None


def _pending(
    base: Whole | None, tasks: Mapping[TaskId, Task], changed: Collection[Key] | None
) -> Sequence[Task]:
    """Return the pending ``tasks`` by rank: those of ``base``, and in place what has changed."""
    if base is None:
        return sorted(filter(_is_pending, tasks.values()), key=RANK)
    now, before = tasks.get, base.tasks.get
    if changed is None:
        gone = [task for task in base.pending if now(task.id) is not task]
        new = [t for id, t in tasks.items() if _is_pending(t) and before(id) is not t]
    else:
        ids = [TaskId(key.removeprefix(_PREFIX)) for key in changed]
        ids = [id for id in ids if before(id) is not now(id)]
        gone = [task for id in ids if (task := before(id)) is not None and _is_pending(task)]
        new = [task for id in ids if (task := now(id)) is not None and _is_pending(task)]
    if not gone and not new:
        return base.pending
    if len(gone) + len(new) > _FEW:
        return sorted(filter(_is_pending, tasks.values()), key=RANK)
    pending = list(base.pending)
    for task in gone:
        del pending[bisect_left(pending, RANK(task), key=RANK)]
    for task in new:
        insort(pending, task, key=RANK)
    return pending


def _is_pending(task: Task) -> bool:
    return task.status is Status.PENDING
