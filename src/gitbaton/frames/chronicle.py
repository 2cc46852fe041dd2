"""The frames behind a commit, one after the other: what each consumed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitbaton.core.ids import Oid
from gitbaton.frames.frame import decode_frame
from gitbaton.frames.names import RECORD
from gitbaton.frames.refs import Pair
from gitbaton.git.objects import decode_commit
from gitbaton.git.objectstore import MissingObject, ObjectStore

_KEPT = 4000  # entries remembered: about a week of frames


@dataclass(frozen=True, slots=True)
class Entry:
    """One commit of the world branch: its frame, and the deltas that it took."""

    commit: Oid
    number: int
    before: Oid | None
    taken: frozenset[Oid]  # merged, or set aside: all are parents
    merged: frozenset[Pair]


class Chronicle:
    """Reads the world branch backwards. What it has read is remembered: commits do not change."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._entries: dict[Oid, Entry] = {}

    def back_to(self, tip: Oid, frame: int) -> Iterator[Entry]:
        """Yield the commits from ``tip`` back, as far as their frame is ``frame`` or later.

        Raises MissingObject where the history here ends before that (a shallow clone).
        """
        commit: Oid | None = tip
        while commit is not None:
            entry = self._entry(commit)
            if entry.number < frame:
                return
            yield entry
            commit = entry.before

    def _entry(self, commit: Oid) -> Entry:
        known = self._entries.get(commit)
        if known is None:
            known = self._read(commit)
            if len(self._entries) >= _KEPT:
                self._entries.clear()
            self._entries[commit] = known
        return known

    def _read(self, commit: Oid) -> Entry:
        head, record = self._objects.find_many([commit, f"{commit}:{RECORD}"])
        if head is None:
            raise MissingObject(commit)
        parents = decode_commit(head[1]).parents
        if record is None:  # older than the world itself
            return Entry(commit, -1, None, frozenset(), frozenset())
        frame = decode_frame(record[1])
        return Entry(
            commit,
            frame.number,
            parents[0] if parents else None,
            frozenset(parents[1:]),
            frozenset(Pair(*pair) for pair in frame.merged),
        )
