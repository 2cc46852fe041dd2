"""Places in a file that others append to, rename, truncate or write anew."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from gitbaton.core.errors import InvalidInput

_TAIL: Final = 256
_NOWHERE: Final = -1


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """How far a file has been read: ``tail`` is a digest of the bytes before ``offset``.

    ``skipping``: in the middle of a line that is too long.
    """

    path: str
    device: int
    inode: int
    offset: int = 0
    tail: str = ""
    skipping: bool = False


def resume(source: BinaryIO, path: Path, place: Place | None) -> Place:
    """Return where to go on in ``source``: at ``place`` if its bytes are still those before it."""
    device, inode = identity(source)
    start = Place(path=str(path), device=device, inode=inode)
    if place is None or (place.device, place.inode) != (device, inode):
        return start
    if os.fstat(source.fileno()).st_size < place.offset:
        return start
    return place if tail(source, place.offset) == place.tail else start


def nowhere(path: Path) -> Place:
    """Return a place in no file: whatever is called ``path`` is read from its start."""
    return Place(path=str(path), device=_NOWHERE, inode=_NOWHERE)


def tail(source: BinaryIO, offset: int) -> str:
    """Return a digest of the last bytes before ``offset``."""
    start = max(offset - _TAIL, 0)
    source.seek(start)
    return hashlib.sha256(source.read(offset - start)).hexdigest()


def identity(source: BinaryIO) -> tuple[int, int]:
    """Return what stays the same when a file is renamed: device and inode."""
    status = os.fstat(source.fileno())
    return status.st_dev, status.st_ino


def is_replaced(source: BinaryIO, path: Path) -> bool:
    """Tell whether another file is called ``path`` by now."""
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) != identity(source)


def open_begun(path: Path, place: Place | None) -> BinaryIO | None:
    """Return the file to read on: that of ``place``, also as ``<path>.1``; else ``path`` itself.

    None: there is none. Raises InvalidInput for what cannot be read.
    """
    current = open_file(path)
    if place is None or (current and identity(current) == (place.device, place.inode)):
        return current
    rotated = open_file(path.with_name(f"{path.name}.1"))
    if rotated is None or identity(rotated) != (place.device, place.inode):
        rotated, unwanted = current, rotated
    else:
        unwanted = current
    if unwanted is not None:
        unwanted.close()
    return rotated


def open_file(path: Path) -> BinaryIO | None:
    """Return a plain file for reading; None if there is none. Raises InvalidInput."""
    try:
        # A FIFO of that name must not make anybody wait.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidInput("file", f"{path}: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidInput("file", f"{path} is no plain file")
    return os.fdopen(descriptor, "rb")
