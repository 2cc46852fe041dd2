"""When upkeep that nobody waits for may push: while the budget has room, and at last anyway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.tasks.budget import PushBudget

_AT_LAST: Final = 300.0  # seconds after which the board is looked after whatever the budget says


class Pace:
    """Paces the upkeep of one process. ``used``: the pushes of this clone in so many seconds."""

    def __init__(self, budget: PushBudget, used: Callable[[float], int], clock: Clock) -> None:
        self._budget = budget
        self._used = used
        self._clock = clock
        self._last = clock.elapsed()

    def allows(self, machines: int) -> bool:
        """Tell whether to push now, where ``machines`` share the budget."""
        if self._clock.elapsed() - self._last >= _AT_LAST:
            return True
        return self._budget.has_room(self._used(60.0), machines)

    def done(self) -> None:
        """Note that upkeep was done just now."""
        self._last = self._clock.elapsed()
