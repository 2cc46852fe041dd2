"""A channel that was opened before it is needed: it saves the next push two round trips of three.

Over ssh a push waits for the channel to be opened and for the command to start before anything of
it travels. Who has pushed twice in quick succession will push again, so the next channel is opened
when a push has ended. Nothing is decided on what it shows: old values are compared when they are
sent. A spare that nobody takes is closed soon, so that no process waits on the server for long.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from gitbaton.git.fast.channel import Channel
from gitbaton.git.fast.trouble import Lost, Unfit

_SUCCESSION: Final = 5.0  # seconds between two pushes that make a third likely
_KEPT: Final = 10.0  # seconds that a spare waits to be taken


class Spares:
    """Keeps at most one spare channel. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: Channel | None = None
        self._timer: threading.Timer | None = None
        self._last_push = float("-inf")

    @property
    def is_there(self) -> bool:
        """Whether a spare could be taken now."""
        with self._lock:
            return self._kept is not None and self._kept.is_running

    def take(self) -> Channel | None:
        """Return the spare if there is one and it still runs; whoever takes it ends it."""
        with self._lock:
            channel = self._forget()
        if channel is None or channel.is_running:
            return channel
        channel.close()
        return None

    def pushed(self, open_channel: Callable[[], Channel]) -> None:
        """Take note that a push has ended; open a spare if another one is likely to come."""
        with self._lock:
            now = time.monotonic()
            likely = now - self._last_push < _SUCCESSION
            self._last_push = now
            if not likely or self._kept is not None:
                return
            try:
                self._kept = open_channel()
                self._timer = threading.Timer(_KEPT, self._expire, [self._kept])
                self._timer.daemon = True
                self._timer.start()
            except (Unfit, Lost, OSError, RuntimeError):
                # No connection, file or thread to be had: the push that has ended is done all the
                # same, and the next one will see what is wrong, and say so.
                failed = self._forget()
                if failed is not None:
                    failed.close()

    def close(self) -> None:
        """End the spare."""
        with self._lock:
            channel = self._forget()
        if channel is not None:
            channel.close()

    def _forget(self) -> Channel | None:
        channel, timer = self._kept, self._timer
        self._kept = self._timer = None
        if timer is not None:
            timer.cancel()
        return channel

    def _expire(self, channel: Channel) -> None:
        with self._lock:
            if self._kept is channel:
                self._kept = self._timer = None
            else:
                return
        channel.close()
