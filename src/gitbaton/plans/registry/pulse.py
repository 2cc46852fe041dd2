"""Keeps a worker's record fresh: a beat every interval, and at once when its state changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError
from gitbaton.plans.registry.record import WorkerRecord
from gitbaton.plans.registry.registry import Post, Registry, Replaced
from gitbaton.plans.registry.vitals import Vitals
from gitbaton.store.calls import Rider
from gitbaton.store.model import Committed, Outcome

_AGAIN: Final = 5.0  # seconds until the next try when a beat did not get through
_EARLY: Final = 2  # half of an interval before it is due, a beat goes along with other pushes


class Pulse:
    """The beats of one worker. Called from its loop as often as it likes; rarely costs a push.

    A task that comes or goes is no reason for a push of its own: the task's record says who works
    on it. It goes along with the next one. A state that changes is a reason, for then others give
    the worker tasks or give it none. ``riders`` may be called from any thread.
    """

    def __init__(
        self, registry: Registry, post: Post, clock: Clock, vitals: Callable[[], Vitals]
    ) -> None:
        self._registry, self._post, self._clock = registry, post, clock
        self._vitals = vitals
        self._due = clock.elapsed() + post.worker.interval
        self._lock = threading.Lock()
        self._beating = False
        self.trouble: BatonError | None = None
        """Why the last beat did not get through; None if it did."""

    def beat(self) -> bool:
        """Beat if it is time; return whether this wrote the record. Raises Replaced.

        Whatever else keeps a beat from getting through is ``trouble``, and tried again soon.
        """
        vitals, worker = self._vitals(), self._post.worker
        early = vitals.state is not worker.state and self.trouble is None
        with self._lock:
            if self._clock.elapsed() < self._due and not early:
                return False
            self._beating = True
        try:
            self._registry.beat(self._post, vitals)
        except Replaced:
            raise
        except BatonError as error:
            self.trouble = error
            self._due = self._clock.elapsed() + min(_AGAIN, worker.interval / 2)
            return False
        finally:
            self._beating = False
        self.trouble = None
        self._due = self._clock.elapsed() + worker.interval
        return True

    def riders(self) -> Sequence[Rider]:
        """Return a beat that may go along with a push that leaves now, if it is of any use."""
        vitals = self._vitals()
        with self._lock:
            worker = self._post.worker
            soon = self._due - self._clock.elapsed() <= worker.interval / _EARLY
            news = vitals.state is not worker.state or tuple(vitals.busy) != worker.busy
            if self._beating or not (soon or news):
                return ()
            proposed = self._registry.propose(self._post, vitals)
        if proposed is None:
            return ()
        worker, change = proposed
        return [Rider(change, partial(self._rode, worker))]

    def withdraw(self) -> None:
        """Say good-bye; no beat follows. Raises Replaced, and what the registry raises."""
        with self._lock:
            self._beating = True
        self._registry.withdraw(self._post)

    def _rode(self, worker: WorkerRecord, outcome: Outcome) -> None:
        """Take the outcome of a beat that went along; one that failed is due as it was."""
        with self._lock:
            if isinstance(outcome, Committed) and not self._beating:
                self._post.worker, self._post.version = worker, outcome.versions[worker.key]
                self._due = self._clock.elapsed() + worker.interval
