"""Keeps the claims of one worker alive: all of them renewed in one push, every third of a lease.

Sent by the worker, never left to a language model. Where a push leaves anyway, what is due soon
goes along with it. A claim found lost is remembered, so that its slot can stop the agent and save
the work.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Self

from gitbaton.core.clock import Clock
from gitbaton.core.errors import ClaimLost
from gitbaton.store.calls import Rider
from gitbaton.store.model import Committed, Outcome
from gitbaton.tasks.claims import Token
from gitbaton.tasks.model import Task
from gitbaton.tasks.queue import Queue

_AGAIN = 5.0  # seconds until the next try when a renewal did not get through
_LONGEST_WAIT = 1.0  # seconds between looks at the clock


@dataclass(slots=True)
class _Beat:
    lease: float
    due: float
    lost: str | None = None
    held: int = 0  # by how many it is being ended

    @property
    def latest(self) -> float:
        """When it is renewed although it is being ended: the lease has a sixth left then."""
        return self.due + self.lease / 2

    def is_held(self, now: float) -> bool:
        return self.held > 0 and now < self.latest


class Heartbeats:
    """Renews claims in a thread of its own. Thread-safe; use as a context manager."""

    def __init__(self, queue: Queue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self._beats: dict[Token, _Beat] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._beating = False
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

    @contextmanager
    def hold(self, token: Token) -> Iterator[None]:
        """Do not renew a claim while it is being ended, unless that takes too long.

        Where a lease is hardly longer than a push, renewals would take the version away from
        under every try to end the claim.
        """
        with self._lock:
            beat = self._beats.get(token)
            if beat is not None:
                beat.held += 1
        try:
            yield
        finally:
            with self._lock:
                if beat is not None:
                    beat.held -= 1
            self._wake.set()

    def spare(self) -> float:
        """Return for how many seconds the claims that are being ended can do without renewal."""
        now = self._clock.elapsed()
        with self._lock:
            held = [beat.due for beat in self._beats.values() if beat.held]
        return min(held, default=math.inf) - now

    def riders(self) -> Sequence[Rider]:
        """Return renewals that are due soon, to go along with a push that leaves now."""
        now = self._clock.elapsed()
        with self._lock:
            if self._beating:
                return ()
            soon = [
                token
                for token, beat in self._beats.items()
                if beat.lost is None and not beat.held and beat.due - now <= beat.lease / 6
            ]
        if not soon:
            return ()
        proposed = self._queue.renewals(soon)
        return [Rider(tx, partial(self._rode, token)) for token, tx in proposed.items()]

    def beat(self) -> None:
        """Renew what is due now, everything else along with it; note what was lost."""
        now = self._clock.elapsed()
        with self._lock:
            alive = {
                token: beat
                for token, beat in self._beats.items()
                if beat.lost is None and not beat.is_held(now)
            }
            self._beating = any(beat.due <= now for beat in alive.values())
        if not self._beating:
            return
        try:
            results = self._queue.renew(list(alive))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other beats must go on
            # Most likely the remote is away: the work goes on, and we try again soon.
            results = dict[Token, Task | Exception].fromkeys(alive, error)
        done = self._clock.elapsed()
        with self._lock:
            self._beating = False
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

    def _rode(self, token: Token, outcome: Outcome) -> None:
        """Take the outcome of a renewal that went along; one that failed is due as it was."""
        done = self._clock.elapsed()
        with self._lock:
            beat = self._beats.get(token)
            if beat is not None and isinstance(outcome, Committed):
                beat.due = done + beat.lease / 3

    def _run(self) -> None:
        while not self._ending:
            self.beat()
            self._wake.wait(self._pause())
            self._wake.clear()

    def _pause(self) -> float:
        now = self._clock.elapsed()
        with self._lock:
            dues = [
                beat.latest if beat.is_held(now) else beat.due
                for beat in self._beats.values()
                if beat.lost is None
            ]
        if not dues:
            return _LONGEST_WAIT
        return min(max(0.05, min(dues) - now), _LONGEST_WAIT)
