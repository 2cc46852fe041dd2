"""Turns among the processes of one machine that choose records of one repository at a path.

Who chooses while another's choice is under way loses a part of it, and all that is done for that
part is done in vain. Where a choice takes milliseconds it is cheaper to wait for it. A turn is a
courtesy and no lock: what is moved is decided by its old value, as ever, so whoever has waited
long enough (the holder is stopped, or the queue is long) goes on without one.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from gitbaton.core.errors import Refused
from gitbaton.core.flock import lock_now

_LONGEST: Final = 1.5  # seconds that a turn is waited for
_WITHOUT: Final = 10.0  # seconds for which nobody is waited for, once that was in vain
_FIRST_PAUSE, _LAST_PAUSE = 0.001, 0.02  # seconds between two questions, longer each time


class Turn(NamedTuple):
    """Whether the turn is ``had``, and whether it, or its refusal, was ``waited`` for."""

    had: bool
    waited: bool


class Turns:
    """The turns at one directory, by flock(2) on itself: it ends with its holder. Thread-safe.

    ``clock`` gives seconds, ``sleep`` waits for them.
    """

    def __init__(
        self,
        directory: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._sleep = sleep
        self._without_until = float("-inf")

    @contextmanager
    def take(self) -> Iterator[Turn]:
        """Have the turn within the block, or go on without it.

        Never raises: where the directory cannot be locked, nobody waits.
        """
        try:
            handle = os.open(self._directory, os.O_RDONLY)
        except OSError:
            yield Turn(had=False, waited=False)
            return
        try:
            yield self._wait(handle)
        finally:
            os.close(handle)

    def _wait(self, handle: int) -> Turn:
        began, pause, waited = self._clock(), _FIRST_PAUSE, False
        try:
            while not lock_now(handle):
                now = self._clock()
                if now < self._without_until:
                    return Turn(had=False, waited=waited)
                if now - began >= _LONGEST:
                    self._without_until = now + _WITHOUT
                    return Turn(had=False, waited=waited)
                waited = True
                self._sleep(random.uniform(pause / 2, pause))
                pause = min(2 * pause, _LAST_PAUSE)
        except (OSError, Refused):  # a file system or a system without flock(2)
            return Turn(had=False, waited=waited)
        return Turn(had=True, waited=waited)
