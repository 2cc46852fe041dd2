"""How contended claiming has been lately, and what a claimant makes of it.

Many claimants who all want the most urgent task lose to one of them, every time. So who has lost
lately does two things. It chooses among more tasks: *of the most urgent priority that is free*, in
an order of its own, whatever their age. Priority stays strict: a task is passed over for a less
urgent one only when it looks taken, since people set priorities and nobody sets an age. That costs
a lost round for each priority at most: when so many want so few, the few are gone on the next look.
And it looks before it claims: what it saw last is worth less, the faster others are.
"""

from __future__ import annotations

import math
import threading
from typing import Final

from gitbaton.core.clock import Clock

FRESH: Final = 20.0  # seconds for which what was seen is worth a try, where nobody else claims
_HALF_LIFE: Final = 15.0  # seconds after which half of it is forgotten
_MOST: Final = 5.0
_SMALLEST: Final = 4  # tasks; doubled by each lost round


class Contention:
    """The contention that one queue has met: its lost rounds, forgotten with time. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._met = 0.0
        self._at = clock.elapsed()

    @property
    def level(self) -> float:
        """About how many rounds were lost lately, at most 5."""
        with self._lock:
            return self._fade(self._clock.elapsed())

    def lose(self) -> None:
        """Take note of a round that won nothing."""
        with self._lock:
            now = self._clock.elapsed()
            self._met, self._at = min(self._fade(now) + 1.0, _MOST), now

    @property
    def window(self) -> int:
        """Among how many of the first tasks to choose; 0: the first one is as good as any."""
        level = round(self.level)
        return _SMALLEST * 2**level if level else 0

    @property
    def freshness(self) -> float:
        """For how many seconds what was seen is worth a try without a look."""
        return FRESH / math.pow(4.0, self.level)

    def _fade(self, now: float) -> float:
        return self._met * math.exp2((self._at - now) / _HALF_LIFE)
