"""Keeps the claims of one worker alive: all of them renewed in one push, every third of a lease.

Sent by the worker, never left to a language model. A claim found lost is remembered, so that its
slot can stop the agent and save the work.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Self

from gitbaton.core.clock import Clock
from gitbaton.core.errors import ClaimLost
from gitbaton.tasks.model import Task
from gitbaton.tasks.queue import Queue, Token

_AGAIN = 5.0  # seconds until the next try when a renewal did not get through
_LONGEST_WAIT = 1.0  # seconds between looks at the clock


@dataclass(slots=True)
class _Beat:
    lease: float
    due: float
    lost: str | None = None


class Heartbeats:
    """Renews claims in a thread of its own. Thread-safe; use as a context manager."""

    def __init__(self, queue: Queue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self._beats: dict[Token, _Beat] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="heartbeats", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ending = True
        self._wake.set()
        self._thread.join(timeout=30)

    def add(self, token: Token, lease: float) -> None:
        """Begin to renew a claim that was just won, with a lease of ``lease`` seconds."""
        with self._lock:
            self._beats[token] = _Beat(lease, self._clock.elapsed() + lease / 3)
        self._wake.set()

    def remove(self, token: Token) -> None:
        """Stop renewing a claim: it has ended, or is about to."""
        with self._lock:
            self._beats.pop(token, None)

    def lost(self, token: Token) -> str | None:
        """Return why the claim is no longer ours, None while it is for all we know."""
        with self._lock:
            beat = self._beats.get(token)
            return beat.lost if beat else None

    def beat(self) -> None:
        """Renew what is due now, everything else along with it; note what was lost."""
        now = self._clock.elapsed()
        with self._lock:
            alive = {token: beat for token, beat in self._beats.items() if beat.lost is None}
        if not any(beat.due <= now for beat in alive.values()):
            return
        try:
            results = self._queue.renew(list(alive))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other beats must go on
            # Most likely the remote is away: the work goes on, and we try again soon.
            results = dict[Token, Task | Exception].fromkeys(alive, error)
        done = self._clock.elapsed()
        with self._lock:
            for token, result in results.items():
                beat = self._beats.get(token)
                if beat is None:
                    continue
                if isinstance(result, ClaimLost):
                    beat.lost = result.message
                elif isinstance(result, Exception):
                    beat.due = done + min(_AGAIN, beat.lease / 6)
                else:
                    beat.due = done + beat.lease / 3

    def _run(self) -> None:
        while not self._ending:
            self.beat()
            self._wake.wait(self._pause())
            self._wake.clear()

    def _pause(self) -> float:
        with self._lock:
            dues = [beat.due for beat in self._beats.values() if beat.lost is None]
        if not dues:
            return _LONGEST_WAIT
        return min(max(0.05, min(dues) - self._clock.elapsed()), _LONGEST_WAIT)
