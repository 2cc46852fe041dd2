"""Files in which a merge with upstream has left its marks, until they are gone.

To commit such a file would publish both sides of every conflict as if they were its text. One file
a working tree, written under its lock.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

import msgspec

from gitbaton.core.errors import DamagedRecord

MINE: Final = "yours"
BEFORE: Final = "before"
THEIRS: Final = "upstream"
"""What the marks are labelled with, as ``git merge-file -L`` takes it."""

_FILE: Final = "torn.json"
_MARKS: Final = (f"<<<<<<< {MINE}".encode(), f">>>>>>> {THEIRS}".encode())


def read_torn(state: Path) -> frozenset[bytes]:
    """Return the noted files of the working tree whose own directory is ``state``.

    Raises DamagedRecord: what cannot be read is not passed over (I9).
    """
    try:
        return frozenset(msgspec.json.decode((state / _FILE).read_bytes(), type=list[bytes]))
    except FileNotFoundError:
        return frozenset()
    except msgspec.DecodeError as error:
        raise DamagedRecord(
            f"{state / _FILE} cannot be read: {error}",
            next=f"git grep -n '<<<<<<< {MINE}', then: rm {state / _FILE}",
        ) from error


def write_torn(state: Path, paths: Collection[bytes]) -> None:
    """Note ``paths``, in place of what was noted."""
    place = state / _FILE
    if not paths:
        place.unlink(missing_ok=True)
        return
    state.mkdir(exist_ok=True)
    temporary = place.with_suffix(f".{os.getpid()}")
    temporary.write_bytes(msgspec.json.encode(sorted(paths)))
    temporary.replace(place)


def has_marks(path: bytes) -> bool:
    """Tell whether the file at ``path`` still has one of the marks on a line of its own."""
    try:
        with open(path, "rb") as file:
            return any(line.rstrip(b"\r\n") in _MARKS for line in file)
    except OSError:
        return False  # gone, or something else by now
