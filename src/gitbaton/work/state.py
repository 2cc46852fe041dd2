"""What a worker's loop remembers from one turn to the next."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from gitbaton.core.errors import BatonError

_FUTILE: Final = 1.0  # seconds before the next claim when a task came back to us in vain; doubles
_FUTILE_LIMIT: Final = 30.0


@dataclass(slots=True)
class WorkerState:
    """Slots, counts and due times (seconds on the worker's clock) of one worker."""

    busy: dict[int, threading.Thread] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)  # what the busy slots do
    failed: frozenset[tuple[str, int]] = frozenset()  # for good, before this worker began
    good: int = 0
    bad: int = 0
    quiet: int = 0  # looks in a row that found nothing
    hungry: bool = False  # it has just become quiet
    told: object = None  # what was last said to be waited for
    told_to_drain: bool = False
    over: bool = False  # nothing more is to be claimed
    trouble: BatonError | None = None  # what ended it
    upkeep_due: float = 0.0
    poll_due: float = 0.0
    free_since: float = 0.0  # when a slot became free last
    given_back: Counter[str] = field(default_factory=Counter)  # tasks that we ended in vain
    futile: float = 0.0  # how long to wait for that before the next claim

    @property
    def claimed(self) -> int:
        """How many claims it has won, whatever became of them."""
        return self.good + self.bad + len(self.busy)

    def ended_in_vain(self, task: str) -> None:
        """Wait longer each time that this worker ends the same task in vain.

        An agent that always releases what it is given would otherwise be given it again at once.
        """
        self.given_back[task] += 1
        again = self.given_back[task] - 1
        if again:
            self.futile = max(self.futile, min(_FUTILE * 2.0 ** (again - 1), _FUTILE_LIMIT))
