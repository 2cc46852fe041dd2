"""Tells whether a hook of a killed commit is still at work in the checkout, and ends it.

While a hook runs, it and everything that it starts hold an flock(2) on one open file that they
inherited. A commit that ends in order gives the lock up for all of them, so that a background
process which a hook left behind is no obstacle. One that was killed cannot, and so whoever comes
next sees that its hooks still run: they would write old fixes into the new checkout.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError
from gitbaton.core.process import Process, find_process, is_alive
from gitbaton.workspace.snapshot.place import Place

_PATIENCE: Final = 2.0  # seconds that a killed process group has to be gone
_PAUSE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Occupation:
    """The right to run hooks in a checkout. ``handle`` is to be inherited by them."""

    handle: int
    clock: Clock

    def note(self, pid: int) -> None:
        """Write down that the hook ``pid``, leader of its process group, runs now."""
        process = find_process(pid, origin=self.clock.origin)
        noted = b"" if process is None else json.dumps(process.to_value()).encode()
        os.ftruncate(self.handle, 0)
        os.pwrite(self.handle, noted, 0)


@contextlib.contextmanager
def occupy(place: Place, clock: Clock) -> Iterator[Occupation]:
    """Give the right to run hooks at ``place``, which is made if need be.

    What a hook of a killed commit still occupies is moved aside: then a new one is begun.
    """
    handle = _open(place)
    if not _lock(handle):
        _end_hook(handle, clock)
        if not _wait(handle, clock):
            os.close(handle)
            _move_aside(place)
            handle = _open(place)
            if not _lock(handle):
                raise BatonError(f"{place.root} is in use", next="the same command again")
    try:
        yield Occupation(handle, clock)
    finally:
        # For all who inherited it, not only for us.
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def _open(place: Place) -> int:
    try:
        place.root.mkdir(parents=True, exist_ok=True)
        return os.open(place.busy, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BatonError(
            f"cannot make a checkout for the hooks in {place.root}: {error.strerror}"
        ) from error


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(handle: int, clock: Clock) -> bool:
    start = clock.elapsed()
    while not _lock(handle):
        if clock.elapsed() - start >= _PATIENCE:
            return False
        clock.sleep(_PAUSE)
    return True


def _end_hook(handle: int, clock: Clock) -> None:
    """Kill the process group of the noted hook, if that very process still leads it."""
    try:
        hook = Process.from_value(json.loads(os.pread(handle, 4096, 0)))
    except (ValueError, KeyError, TypeError):
        return  # killed before it was noted
    if is_alive(hook, origin=clock.origin):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(hook.pid, signal.SIGKILL)


def _move_aside(place: Place) -> None:
    from gitbaton.git.worktrees import erase

    aside = place.root.with_name(f"{place.root.name}.left-{secrets.token_hex(4)}")
    place.root.rename(aside)
    with contextlib.suppress(OSError, BatonError):  # somebody is still writing in it
        erase(aside)
