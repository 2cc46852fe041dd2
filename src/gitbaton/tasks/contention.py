"""How contended claiming has been lately, and what a claimant makes of it.

Many claimants who all want the most urgent task lose to one of them, every time. So who has lost
lately does two things. It chooses among more tasks: *of the most urgent priority that is free*, in
an order of its own, whatever their age. Priority stays strict: a task is passed over for a less
urgent one only when it looks taken, since people set priorities and nobody sets an age. That costs
a lost round for each priority at most: when so many want so few, the few are gone on the next look.
And it looks before it claims: what it saw last is worth less, the faster others are.

A *race* (a push lost to somebody, in a round that won something) widens the choice only. A round
that is *lost* is also a reason to look.
"""

from __future__ import annotations

import math
import threading
from typing import Final

from gitbaton.core.clock import Clock

FRESH: Final = 20.0  # seconds for which what was seen is worth a try, where nobody else claims
_HALF_LIFE: Final = 15.0  # seconds after which half of it is forgotten
_MOST: Final = 5.0
_SMALLEST, _LARGEST = 16, 128  # tasks; doubled by each lost push, up to the largest


class Contention:
    """The contention that one queue has met lately."""

    def __init__(self, clock: Clock) -> None:
        self._lost = Tally(clock)
        self._raced = Tally(clock)

    @property
    def level(self) -> float:
        """About how many rounds were lost lately, at most 5."""
        return self._lost.level

    def lose(self) -> None:
        """Take note of a round that won nothing."""
        self._lost.add()
        self._raced.add()

    def race(self) -> None:
        """Take note of a push that was lost to somebody, in a round that won something."""
        self._raced.add()

    @property
    def window(self) -> int:
        """Among how many of the first tasks to choose; 0: the first one is as good as any."""
        level = round(self._raced.level)
        return min(_SMALLEST * 2**level, _LARGEST) if level else 0

    @property
    def freshness(self) -> float:
        """For how many seconds what was seen is worth a try without a look."""
        return FRESH / math.pow(4.0, self.level)


class Tally:
    """How often something has happened, forgotten with time; at most 5. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._met = 0.0
        self._at = clock.elapsed()

    @property
    def level(self) -> float:
        """About how often it has happened lately."""
        with self._lock:
            return self._fade(self._clock.elapsed())

    def add(self) -> None:
        """Take note that it has happened."""
        with self._lock:
            now = self._clock.elapsed()
            self._met, self._at = min(self._fade(now) + 1.0, _MOST), now

    def _fade(self, now: float) -> float:
        return self._met * math.exp2((self._at - now) / _HALF_LIFE)
