"""Whether what the fleet pushes fits what its git host wants to see (pure)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gitbaton.core.durations import format_duration
from gitbaton.tasks.model import Task

RENEWALS: Final = 3  # a lease is renewed every third of it


@dataclass(frozen=True, slots=True)
class PushBudget:
    """How many pushes a minute all machines together may send."""

    a_minute: float

    def share(self, machines: int) -> float:
        """Return the part of one of so many machines; one push a minute is left to each."""
        return max(1.0, self.a_minute / max(machines, 1))

    def has_room(self, used: int, machines: int) -> bool:
        """Tell whether what can wait may be sent by a machine that sent ``used`` in a minute.

        Half of its share is left to what people wait for: claims, landings, renewals.
        """
        return used + 1 <= self.share(machines) / 2


@dataclass(frozen=True, slots=True)
class HeartbeatLoad:
    """How many workers renew, with how many pushes a minute in all, of how many they may."""

    workers: int
    pushes: float
    budget: PushBudget

    @property
    def fits(self) -> bool:
        """Whether that is within the budget."""
        return self.pushes <= self.budget.a_minute

    @property
    def fitting_lease(self) -> float:
        """The shortest lease in whole minutes, as seconds, with which it would be."""
        return 60.0 * math.ceil(RENEWALS * self.workers / self.budget.a_minute)

    @property
    def text(self) -> str:
        """The load in a sentence."""
        return f"{self.workers} workers renew with {self.pushes:.1f} pushes a minute in all"

    @property
    def advice(self) -> str:
        """What would help."""
        return (
            f"a lease of {format_duration(self.fitting_lease)} keeps them at "
            f"{self.budget.a_minute:.0f} (queue.lease in baton.toml)"
        )


def heartbeat_load(tasks: Iterable[Task], budget: PushBudget) -> HeartbeatLoad:
    """Return the load of all current claims: a worker renews all of its claims in one push."""
    shortest: dict[tuple[str, str], float] = {}
    for task in tasks:
        if task.claim is not None:
            worker = task.claim.machine, task.claim.worker
            shortest[worker] = min(task.claim.lease, shortest.get(worker, math.inf))
    pushes = sum(60.0 * RENEWALS / lease for lease in shortest.values() if lease > 0)
    return HeartbeatLoad(len(shortest), pushes, budget)


def count_machines(tasks: Iterable[Task], *, own: str) -> int:
    """Return how many machines are at work, ``own`` counted as one of them."""
    return len({own, *(task.claim.machine for task in tasks if task.claim is not None)})
