"""The frames behind a commit, one after the other: what each consumed.

A commit that published a frame has the deltas that it took among its parents, and the world before
it as the first. One that people made may have several worlds before it (``git pull`` makes the
fetched one the *second* parent), and may hold no record that can be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import Oid
from gitbaton.frames.frame import decode_frame
from gitbaton.frames.names import RECORD
from gitbaton.frames.refs import Pair
from gitbaton.git.objects import decode_commit
from gitbaton.git.objectstore import MissingObject, ObjectStore

_KEPT = 4000  # entries remembered: about a week of frames
_SUBJECT = re.compile(r"frame ([0-9]+): ")


@dataclass(frozen=True, slots=True)
class Entry:
    """One commit of the world branch: its frame, and the deltas that it took."""

    commit: Oid
    number: int | None  # None: people have broken the record, or the world is younger
    before: tuple[Oid, ...]
    taken: frozenset[Oid]  # merged, or set aside: all are parents
    merged: frozenset[Pair]


class Chronicle:
    """Reads the world branch backwards. What it has read is remembered: commits do not change."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._entries: dict[Oid, Entry] = {}

    def back_to(self, tip: Oid, frame: int) -> Iterator[Entry]:
        """Yield the commits from ``tip`` back, as far as their frame is ``frame`` or later.

        Those without a frame are passed over. Raises MissingObject where the history here ends
        before that (a shallow clone).
        """
        todo, met = [tip], {tip}
        while todo:
            entry = self._entry(todo.pop())
            if entry.number is not None:
                if entry.number < frame:
                    continue
                yield entry
            todo += [commit for commit in entry.before if commit not in met]
            met.update(entry.before)

    def numbers(self, commits: Iterable[Oid]) -> list[int]:
        """Return the frames that those of ``commits`` say of themselves that are here."""
        return [
            number
            for commit in commits
            if commit in self._entries or self._objects.find_many([commit])[0] is not None
            if (number := self._entry(commit).number) is not None
        ]

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
        made = decode_commit(head[1])
        try:
            frame = decode_frame(record[1]) if record is not None else None
        except DamagedRecord:
            frame = None
        if frame is None:
            return Entry(commit, None, made.parents, frozenset(), frozenset())
        published = frame_number(made.subject) is not None
        return Entry(
            commit,
            frame.number,
            made.parents[:1] if published else made.parents,
            frozenset(made.parents[1:] if published else ()),
            frozenset(Pair(*pair) for pair in frame.merged),
        )


def frame_number(subject: str) -> int | None:
    """Return the number of the frame that a commit with this subject published, if it did."""
    match = _SUBJECT.match(subject)
    return int(match[1]) if match else None
