"""How long one observer has watched something not change (pure; I5).

Leases, task timeouts and back-off delays are durations on one observer's clock, counted from its
own first sight of a version or an epoch. A version is unique, so a version seen twice was there
all the time between; what is counted of that time is bounded, because the observer may have been
cut off together with the holder who could not renew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from gitbaton.store.model import Version
from gitbaton.tasks.model import Status, Task

Kind: TypeAlias = Literal["lease", "epoch", "delay"]

_GRACE: Final = 3.0  # a gap between looks counts at most lease / 3; a timeout is late by as much
_BUSIEST: Final = 1.0  # seconds between two looks
_LAZIEST: Final = 60.0


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to watch: of ``kind``, unchanged as long as ``mark`` is the same.

    ``cap``: how many seconds between two looks count at most.
    """

    kind: Kind
    mark: str
    cap: float


@dataclass(frozen=True, slots=True)
class Observation:
    """What one observer knows of a subject after a look.

    ``origin``: what its clock counts from. ``answered``: when the last reply came that showed the
    subject. ``watched``: the seconds that count since its first sight.
    """

    mark: str
    cap: float
    origin: str
    answered: float
    watched: float = 0.0


@dataclass(frozen=True, slots=True)
class Sight:
    """For how many seconds a task's version has been watched, as far as it matters."""

    lease: float = 0.0  # in progress: this version, unrenewed
    epoch: float = 0.0  # in progress: this claim, renewed or not
    delay: float = 0.0  # pending with a back-off: this version


def look(
    before: Observation | None,
    subject: Subject,
    *,
    origin: str,
    asked: float,
    answered: float,
) -> Observation:
    """Return the observation after a look that was asked and answered at these clock readings.

    The time between two looks runs from the earlier reply to the later question. Another mark,
    cap or clock origin is a first sight. A look that is older than what is known (another process
    of this observer was faster) changes nothing.
    """
    if before is None or before.origin != origin:
        return Observation(subject.mark, subject.cap, origin, answered)
    if before.answered > answered:
        return before
    if (before.mark, before.cap) != (subject.mark, subject.cap):
        return Observation(subject.mark, subject.cap, origin, answered)
    gap = min(max(asked - before.answered, 0.0), subject.cap)
    return Observation(subject.mark, subject.cap, origin, answered, before.watched + gap)


def subjects(task: Task, version: Version) -> Iterator[Subject]:
    """Return what there is to watch about ``task`` at ``version``."""
    if task.claim is not None:
        cap = task.claim.lease / _GRACE
        yield Subject("lease", f"{version} {task.claim.lease!r}", cap)
        if task.timeout is not None:
            yield Subject("epoch", f"{task.claim.epoch} {task.claim.nonce}", cap)
    elif task.status is Status.PENDING and task.delay > 0:
        # A back-off takes nothing from anybody, so an outage may count as waiting.
        yield Subject("delay", str(version), task.delay)


def expiry(task: Task, sight: Sight) -> Literal["timeout", "lease"] | None:
    """Tell why the claim of ``task`` may be taken back by an observer with this sight, if it may.

    A timeout is ended by the claim's own worker first: others wait a third of the lease more. An
    announced landing is left alone for a lease more: its branch may have moved already, and then
    the task is done and not to be done again.
    """
    claim = task.claim
    if claim is None:
        return None
    patience = claim.lease if task.landing is not None else 0.0
    if sight.lease >= claim.lease + patience:
        return "lease"
    late = claim.lease / _GRACE + patience
    if task.timeout is not None and sight.epoch >= task.timeout + late:
        return "timeout"
    return None


def look_interval(tasks: Iterable[Task], *, lease: float) -> float:
    """Return how many seconds apart to look, to take back claims of ``tasks`` in good time.

    A third of the shortest lease (``lease``: that of the claims that are yet to come), since no
    more counts between two looks; at most a minute. Not below a second, whatever a record says.
    """
    shortest = min([lease, *(task.claim.lease for task in tasks if task.claim is not None)])
    return min(max(shortest / _GRACE, _BUSIEST), _LAZIEST)


def time_left(task: Task, sight: Sight) -> float:
    """Return how many seconds of the task's back-off are left for an observer (0: none)."""
    return max(task.delay - sight.delay, 0.0)
