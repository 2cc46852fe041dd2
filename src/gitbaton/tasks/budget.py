"""Whether the fleet's renewals fit what a git host wants to see (pure)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gitbaton.core.durations import format_duration
from gitbaton.tasks.model import Task

PUSHES_A_MINUTE: Final = 6.0  # what github.com advises for one repository
RENEWALS: Final = 3  # a lease is renewed every third of it


@dataclass(frozen=True, slots=True)
class HeartbeatLoad:
    """How many workers renew, with how many pushes a minute in all."""

    workers: int
    pushes: float

    @property
    def fits(self) -> bool:
        """Whether that is within the budget."""
        return self.pushes <= PUSHES_A_MINUTE

    @property
    def fitting_lease(self) -> float:
        """The shortest lease in whole minutes, as seconds, with which it would be."""
        return 60.0 * math.ceil(RENEWALS * self.workers / PUSHES_A_MINUTE)

    @property
    def text(self) -> str:
        """The load in a sentence."""
        return f"{self.workers} workers renew with {self.pushes:.1f} pushes a minute in all"

    @property
    def advice(self) -> str:
        """What would help."""
        return (
            f"a lease of {format_duration(self.fitting_lease)} keeps them at "
            f"{PUSHES_A_MINUTE:.0f} (queue.lease in baton.toml)"
        )


def heartbeat_load(tasks: Iterable[Task]) -> HeartbeatLoad:
    """Return the load of all current claims: a worker renews all of its claims in one push."""
    shortest: dict[tuple[str, str], float] = {}
    for task in tasks:
        if task.claim is not None:
            worker = task.claim.machine, task.claim.worker
            shortest[worker] = min(task.claim.lease, shortest.get(worker, math.inf))
    pushes = sum(60.0 * RENEWALS / lease for lease in shortest.values() if lease > 0)
    return HeartbeatLoad(len(shortest), pushes)
