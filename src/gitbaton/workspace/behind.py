"""Files that stayed as somebody had them when their branch moved on: what they are based on.

To commit such a file as it is would silently undo what upstream did to it, so it is noted until
its owner has brought the two together. One file a working tree, written under its lock.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import msgspec

from gitbaton.core.errors import DamagedRecord
from gitbaton.git.entries import Entry

_FILE: Final = "behind.json"


class Behind(msgspec.Struct, frozen=True):
    """The file at ``path`` was begun on ``base`` (None: there was none), and HEAD is further."""

    path: bytes
    base: Entry | None


def read_behind(state: Path) -> dict[bytes, Entry | None]:
    """Return the noted files of the working tree whose own directory is ``state``: path -> base.

    Raises DamagedRecord: what cannot be read is not passed over (I9).
    """
    try:
        data = (state / _FILE).read_bytes()
    except FileNotFoundError:
        return {}
    try:
        return {item.path: item.base for item in msgspec.json.decode(data, type=list[Behind])}
    except msgspec.DecodeError as error:
        raise DamagedRecord(
            f"{state / _FILE} cannot be read: {error}",
            next=f"git diff HEAD, to see what your files would undo; then: rm {state / _FILE}",
        ) from error


def forget_behind(state: Path, followed: Mapping[bytes, Entry | None] | Collection[bytes]) -> None:
    """Drop the notes of files that have ``followed``; of a mapping, those with that very base.

    Raises DamagedRecord.
    """
    noted = read_behind(state)
    bases = followed if isinstance(followed, Mapping) else noted
    left = {
        path: base for path, base in noted.items() if path not in followed or bases[path] != base
    }
    if left != noted:
        write_behind(state, left)


def write_behind(state: Path, found: Mapping[bytes, Entry | None]) -> None:
    """Note ``found``, in place of what was noted."""
    path = state / _FILE
    if not found:
        path.unlink(missing_ok=True)
        return
    state.mkdir(exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    items = [Behind(name, base) for name, base in sorted(found.items())]
    temporary.write_bytes(msgspec.json.encode(items))
    temporary.replace(path)
