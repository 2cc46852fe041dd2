"""What hooks changed, and what of it belongs to the commit (pure).

The hook may have written files, staged something else, or both. Git commits what is staged; people
expect what they see. For a named file the working file counts if the hook changed it, else what it
staged. One that the hook took out of its index is not committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gitbaton.core.ids import Oid
from gitbaton.git.entries import Entry


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a raw diff: a path, and what stood there before and afterwards.

    In a working file the id of ``after`` is not known: it is all zeros.
    """

    path: bytes
    before: Entry | None
    after: Entry | None


@dataclass(frozen=True, slots=True)
class Choice:
    """What is taken into the commit: working ``files``, ``staged`` entries (None: removed).

    ``dropped``: paths that were changed and are not named.
    """

    files: tuple[bytes, ...]
    staged: Mapping[bytes, Entry | None]
    dropped: tuple[bytes, ...]

    @property
    def is_empty(self) -> bool:
        """Whether no named file is touched."""
        return not self.files and not self.staged


def parse_changes(raw: bytes) -> Iterator[Change]:
    """Yield the lines of ``git diff --raw -z --no-abbrev --no-renames`` (git-diff(1), RAW)."""
    words = raw.split(b"\0")
    for head, path in zip(words[::2], words[1::2], strict=False):
        old, new, before, after, _ = head.removeprefix(b":").split(b" ")
        yield Change(path, _entry(old, before), _entry(new, after))


def choose(
    written: Iterable[Change], staged: Iterable[Change], *, named: frozenset[bytes]
) -> Choice:
    """Return what becomes of the changes ``written`` to files and ``staged`` in the index."""
    on_disk = {change.path: change.after for change in written}
    in_index = {change.path: change.after for change in staged}
    files: list[bytes] = []
    entries: dict[bytes, Entry | None] = {}
    for path in sorted(named & (on_disk.keys() | in_index.keys())):
        if path in in_index and in_index[path] is None:
            entries[path] = None
        elif on_disk.get(path) is not None:
            files.append(path)
        elif path in in_index:
            entries[path] = in_index[path]
        # Else the file is only missing on disk: a scratch of the hook's, not its advice.
    others = (on_disk.keys() | in_index.keys()) - named
    return Choice(tuple(files), entries, tuple(sorted(others)))


def _entry(mode: bytes, oid: bytes) -> Entry | None:
    number = int(mode, 8)
    return None if number == 0 else Entry(number, Oid(oid.decode("ascii")))
