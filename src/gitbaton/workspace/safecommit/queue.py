"""The queue before the lock of a working tree: who came first is served first.

A place in it is a *ticket*: a small file with a number for its name, in one directory, that its
owner holds an flock(2) on. A ticket that nobody holds is a killed owner's: whoever stands behind
takes it away. The numbers are for fairness and nothing else. Should two who came in the same moment
both believe that they are first, the lock that they wait for has one holder all the same.
docs/design/safe-commit.md, section 6.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from gitbaton.core.flock import lock_now


class Ticket:
    """A place in the queue, until it is given back or its process ends. Made by ``draw``."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle

    def is_first(self) -> bool:
        """Tell whether nobody stands before this one; tickets of the dead are taken away."""
        while ahead := self._ahead():
            if not _clear(self._path.with_name(str(max(ahead)))):
                return False
        return True

    def count_ahead(self) -> int:
        """Return how many tickets are before this one, those of the dead among them."""
        return len(self._ahead())

    def give_back(self) -> None:
        """Leave the queue."""
        try:
            _unlink(self._handle, self._path)
        finally:
            os.close(self._handle)

    def _ahead(self) -> list[int]:
        own = int(self._path.name)
        return [number for number in _numbers(self._path.parent) if number < own]


def draw(queue: Path) -> Ticket:
    """Return a ticket behind all others in the directory ``queue``, which is made if need be."""
    while True:
        queue.mkdir(exist_ok=True)
        path = queue / str(max(_numbers(queue), default=0) + 1)
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except (FileExistsError, FileNotFoundError):
            continue  # somebody was faster; or the directory was removed
        # Until it is locked it looks like a dead one's, and may have been taken away for one.
        if lock_now(handle) and _is_at(handle, path):
            return Ticket(path, handle)
        os.close(handle)


def is_empty(queue: Path) -> bool:
    """Tell whether there is no ticket, of the living or the dead."""
    return not _numbers(queue)


def _numbers(queue: Path) -> list[int]:
    try:
        return [int(name) for name in os.listdir(queue) if name.isdecimal()]
    except FileNotFoundError:
        return []


def _clear(path: Path) -> bool:
    """Take the ticket at ``path`` away if nobody holds it; tell whether it is gone."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        if not lock_now(handle):
            return False
        _unlink(handle, path)
        return True
    finally:
        os.close(handle)


def _unlink(handle: int, path: Path) -> None:
    """Remove ``path`` if it is the open file ``handle``, whose lock is held."""
    if _is_at(handle, path):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False
