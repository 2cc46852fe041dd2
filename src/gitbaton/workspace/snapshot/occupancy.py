"""Tells whether a hook of a killed commit is still at work in the checkout, and ends it.

While a hook runs, it and everything that it starts hold an flock(2) on one open file that they
inherited. A commit that ends in order gives the lock up for all of them, so that a background
process which a hook left behind is no obstacle. One that was killed cannot, and so whoever comes
next sees that its hooks still run: they would write old fixes into the new checkout. They are
found by a mark in their environment, which is written down before the first of them starts.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError
from gitbaton.workspace.snapshot.place import ASIDE, Place

MARK: Final = "BATON_HOOK_MARK"
_PATIENCE: Final = 1.5  # seconds that killed processes have to be gone
_PAUSE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Occupation:
    """The right to run hooks in a checkout.

    ``handle`` is to be inherited by them, and ``mark`` to be in their environment as ``MARK``.
    """

    handle: int
    mark: str
    clock: Clock


@contextlib.contextmanager
def occupy(place: Place, clock: Clock) -> Iterator[Occupation]:
    """Give the right to run hooks at ``place``, which is made if need be.

    What a hook of a killed commit still occupies is moved aside: then a new one is begun.
    """
    handle = _open(place)
    if not _lock(handle) and not _end_hooks(handle, clock):
        os.close(handle)
        _move_aside(place)
        handle = _open(place)
        if not _lock(handle):
            raise BatonError(f"{place.root} is in use", next="the same command again")
    try:
        mark = secrets.token_hex(16)
        os.ftruncate(handle, 0)
        os.pwrite(handle, mark.encode(), 0)
        yield Occupation(handle, mark, clock)
    finally:
        # For all who inherited it, not only for us.
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def _open(place: Place) -> int:
    try:
        place.make_root()
        return os.open(place.busy, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise place.unusable(error) from error


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _end_hooks(handle: int, clock: Clock) -> bool:
    """Kill what has the mark that stands in the file until the lock is free; tell whether it is."""
    mark = os.pread(handle, 64, 0).decode("ascii", "replace")
    start = clock.elapsed()
    while clock.elapsed() - start < _PATIENCE:
        if re.fullmatch("[0-9a-f]{32}", mark):
            _kill_marked(mark)
        if _lock(handle):
            return True
        clock.sleep(_PAUSE)
    return False


def _kill_marked(mark: str) -> None:
    import psutil  # 12 ms: only for this

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # gone, or another user's
            if process.environ().get(MARK) == mark:
                process.kill()


def _move_aside(place: Place) -> None:
    from gitbaton.git.worktrees import erase

    aside = place.root.with_name(f"{place.root.name}{ASIDE}{secrets.token_hex(4)}")
    place.root.rename(aside)
    with contextlib.suppress(OSError, BatonError):  # somebody is still writing in it
        erase(aside)
