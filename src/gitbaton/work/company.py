"""Slots that do the same thing at the same time, so that they share pushes.

See docs/design/group-commit.md, "The window, and slots that move together".
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

_EASY = 4  # a free slot waits at most this part of the window for one that clears up


class Company:
    """Which slots of a worker are busy, and which of them are about to be free. Thread-safe."""

    def __init__(self, window: float, *, scarce: Callable[[], bool]) -> None:
        """``window``: how long a landing may wait for others, in seconds.

        ``scarce()``: whether more of the push budget is used than is good.
        """
        self._scarce = scarce
        self._window = window
        self._lock = threading.Lock()
        self._working: set[int] = set()  # busy, and what they do has not landed yet
        self._ending: set[int] = set()  # busy, and from here on nothing but landing or leaving
        self._closed = False

    def begin(self, slot: int) -> None:
        """Note that ``slot`` has something to do."""
        with self._lock:
            self._working.add(slot)

    def lands(self, slot: int) -> None:
        """Note that ``slot`` has a result and is about to publish it."""
        with self._lock:
            if slot in self._working:
                self._ending.add(slot)

    def landed(self, slot: int) -> None:
        """Note that nobody lands with ``slot`` any more: its claim has ended, one way or other."""
        with self._lock:
            if slot in self._working:
                self._working.remove(slot)
                self._ending.add(slot)

    def leave(self, slot: int) -> None:
        """Note that ``slot`` is free."""
        with self._lock:
            self._working.discard(slot)
            self._ending.discard(slot)

    def close(self) -> None:
        """Let nobody wait any more: the worker ends."""
        self._closed = True  # no lock: a signal handler may interrupt a thread that has it

    def landing_wait(self, waiting: int, waited: float, spare: float = math.inf) -> float:
        """Return how many seconds more landings wait: ``waiting`` of them, one for ``waited``.

        ``spare``: the seconds that a renewal which has to wait for them has left. Nobody waits
        with what no slot has to land: results that waited offline come one by one, from a thread
        that has all slots to look after.
        """
        with self._lock:
            landing = len(self._working & self._ending)
            if self._closed or waiting >= len(self._working) or waiting > landing:
                return 0.0
        return min(self._window - waited, spare)

    def claim_wait(self, waited: float) -> float:
        """Return how many seconds more slots that are free since ``waited`` wait for others."""
        with self._lock:
            if self._closed or not self._ending:
                return 0.0
        longest = self._window / _EASY + (self._window if self._scarce() else 0.0)
        return longest - waited
