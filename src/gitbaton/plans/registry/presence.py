"""Whether a worker is still there, as one observer sees it (pure; I5).

As with leases of claims: what counts is for how long this observer has watched the record not
change, on its own clock, and of the time between two looks at most one interval. An observer that
looks for the first time believes what the record says.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gitbaton.plans.registry.record import UP, WorkerRecord
from gitbaton.store.model import Version
from gitbaton.tasks.leases import Subject

_MISSED = 3  # so many beats in a row, and it is lost


class Presence(StrEnum):
    """Where a worker stands for an observer."""

    ABSENT = "absent"
    SERVING = "serving"
    REFUSING = "refusing"
    DRAINING = "draining"
    LOST = "lost"  # it went without a word: three beats were missed
    GONE = "gone"  # it said good-bye


@dataclass(frozen=True, slots=True)
class Sighted:
    """A worker, and for how many seconds this observer has watched its record not change."""

    worker: WorkerRecord
    version: Version
    watched: float = 0.0

    @property
    def presence(self) -> Presence:
        """Where it stands."""
        if self.worker.state in UP and self.watched >= _MISSED * self.worker.interval:
            return Presence.LOST
        return Presence(self.worker.state.value)

    @property
    def available(self) -> bool:
        """Whether it takes tasks: it serves, as far as can be seen, and has a free slot."""
        return self.presence is Presence.SERVING and self.worker.free > 0


def watched_subject(worker: WorkerRecord, version: Version) -> Subject | None:
    """Return what there is to watch about ``worker``: its heartbeat, while it should have one."""
    if worker.state not in UP:
        return None
    return Subject("lease", f"{version} {worker.interval!r}", worker.interval)
