"""A bound in time for a call that takes several steps."""

from __future__ import annotations

import time


class Deadline:
    """The moment, ``seconds`` from now, at which a call must have ended."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, never quite none: 0 means "do not wait" to some."""
        return max(self._end - time.monotonic(), 0.01)

    def over(self) -> bool:
        """Tell whether the moment has come."""
        return time.monotonic() >= self._end
