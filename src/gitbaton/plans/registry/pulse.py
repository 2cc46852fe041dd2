"""Keeps a worker's record fresh: a beat every interval, and at once when its state changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError
from gitbaton.plans.registry.registry import Post, Registry, Replaced
from gitbaton.plans.registry.vitals import Vitals

_AGAIN: Final = 5.0  # seconds until the next try when a beat did not get through


class Pulse:
    """The beats of one worker. Called from its loop as often as it likes; rarely costs a push.

    A task that comes or goes is no reason for a beat: its own record says who works on it. A
    state that changes is one, for then others give it tasks or give it none.
    """

    def __init__(
        self, registry: Registry, post: Post, clock: Clock, vitals: Callable[[], Vitals]
    ) -> None:
        self._registry, self._post, self._clock = registry, post, clock
        self._vitals = vitals
        self._due = clock.elapsed() + post.worker.interval
        self.trouble: BatonError | None = None
        """Why the last beat did not get through; None if it did."""

    def beat(self) -> bool:
        """Beat if it is time; return whether this wrote the record. Raises Replaced.

        Whatever else keeps a beat from getting through is ``trouble``, and tried again soon.
        """
        vitals, worker = self._vitals(), self._post.worker
        early = vitals.state is not worker.state and self.trouble is None
        if self._clock.elapsed() < self._due and not early:
            return False
        try:
            self._registry.beat(self._post, vitals)
        except Replaced:
            raise
        except BatonError as error:
            self.trouble = error
            self._due = self._clock.elapsed() + min(_AGAIN, worker.interval / 2)
            return False
        self.trouble = None
        self._due = self._clock.elapsed() + worker.interval
        return True
