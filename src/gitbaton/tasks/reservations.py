"""The record of reserved paths (pure): what makes claims with ``paths`` exclude each other.

Claims of two tasks touch two records, so nothing would stop two overlapping ones from being won at
once. Every claim of a task with ``paths`` therefore also rewrites this one record, in the same
transaction. Record and tasks are taken from *one snapshot*, and that is enough. Let another claim
have written the record as W. A snapshot never shows half a transaction (I6). So either it shows W
or a later version: then it shows that claim among the tasks, in progress or ended since. Or it
shows an earlier one: then our rewrite names a version that W has replaced, and fails.

The same holds for what is recalled: a snapshot with commits of our own since. The record's
versions since then are all ours, with their tasks, or our rewrite fails.

A host without atomic pushes gets the records one by one, this one first. A snapshot may then show
W and not yet the claim: its entry looks void, our rewrite drops it, and both claims are made. This
is why the winner looks again: who is not entered, or meets another in progress, withdraws.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import TaskId
from gitbaton.store.model import ABSENT, Absent, Key, Value, Version, make_key
from gitbaton.tasks.globs import overlap
from gitbaton.tasks.model import FORMAT, Frozen, Status, Task
from gitbaton.tasks.view import View

PATHS_KEY: Key = make_key("locks", "paths")


class Reservation(Frozen, frozen=True, kw_only=True):
    """The claim of this task in this epoch reserves these globs."""

    task: str
    epoch: int
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Locks:
    """The record as it was read: its version, its entries, the reservations that hold.

    ``damage``: why it is no record at all; then nobody can reserve, and it concerns nobody else.
    """

    version: Version | Absent
    entries: Sequence[Reservation]
    standing: Sequence[Reservation]
    damage: str | None = None


class _Kept(Frozen, frozen=True, kw_only=True):
    format: int
    entries: tuple[Reservation, ...]


def read_locks(view: View) -> Locks:
    """Return the reservations in the snapshot of ``view``.

    A value that is no list of reservations counts as empty and is written anew by the next claim:
    what is in progress says it all again.
    """
    record = view.snapshot.records.get(PATHS_KEY)
    try:
        entries = decode_reservations(record.value) if record is not None else ()
    except DamagedRecord:
        entries = ()
    version = ABSENT if record is None else record.version
    damage = view.snapshot.damaged.get(PATHS_KEY)
    return Locks(version, entries, standing(entries, view), damage)


def decode_reservations(value: Value) -> tuple[Reservation, ...]:
    """Return the entries of the record; raise DamagedRecord for anything else."""
    try:
        kept = msgspec.convert(dict(value), _Kept)
    except msgspec.ValidationError as error:
        raise DamagedRecord(f"{PATHS_KEY}: {error}", next="baton doctor") from error
    if kept.format > FORMAT:
        raise DamagedRecord(f"{PATHS_KEY}: format: {kept.format} is newer than this baton knows")
    return kept.entries


def encode_reservations(entries: Iterable[Reservation]) -> Value:
    """Return the record's value. ``decode_reservations`` is its inverse."""
    ordered = sorted(entries, key=lambda entry: (entry.task, entry.epoch))
    plain: dict[str, object] = msgspec.to_builtins(_Kept(format=FORMAT, entries=tuple(ordered)))
    return plain


def standing(entries: Iterable[Reservation], view: View) -> list[Reservation]:
    """Return the reservations that hold: of every task with paths in progress, and of tasks that
    cannot be read, since nobody knows that those have ended.

    What is in progress is live, or at least entered. Entries whose task and epoch are no longer in
    progress are void. What is in progress but was not entered (a host without atomic pushes, an
    old client) is entered now.
    """
    entries = list(entries)
    unreadable = [entry for entry in entries if view.damage(entry.task) is not None]
    named = (view.tasks.get(TaskId(entry.task)) for entry in entries)
    held = {
        task.id: Reservation(task=task.id, epoch=task.epoch, paths=task.paths)
        for task in (*view.live.values(), *named)
        if task is not None and task.status is Status.IN_PROGRESS and task.paths
    }
    return [*unreadable, *held.values()]


def collision(
    task: Task, entries: Iterable[Reservation]
) -> tuple[Reservation, tuple[str, str, str]] | None:
    """Return the first reservation of another task that meets the paths of ``task``.

    With it: the task's glob, the other glob, and a file that both match.
    """
    for entry in entries:
        if entry.task != task.id and (meeting := overlap(task.paths, entry.paths)):
            return entry, meeting
    return None


def reserve(entries: Iterable[Reservation], task: Task) -> Value:
    """Return the record's value with the claim of ``task`` entered."""
    others = [entry for entry in entries if entry.task != task.id]
    mine = Reservation(task=task.id, epoch=task.epoch, paths=task.paths)
    return encode_reservations([*others, mine])


def is_entered(entries: Iterable[Reservation], task: Task) -> bool:
    """Tell whether the claim of ``task`` is entered."""
    return any((e.task, e.epoch, e.paths) == (task.id, task.epoch, task.paths) for e in entries)
