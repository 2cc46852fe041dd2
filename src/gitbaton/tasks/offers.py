"""What to try to claim in one commit (pure)."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from gitbaton.tasks.claims import Claimant
from gitbaton.tasks.model import Task
from gitbaton.tasks.readiness import taste
from gitbaton.tasks.reservations import Locks, collision

_ALTERNATIVES: Final = 255  # offered besides what is wanted

_SECOND: Final = 32  # of so many for each seat the second choice is made


@dataclass(frozen=True, slots=True)
class Offer:
    """Tasks to claim in one commit.

    ``either``: as many of them will do as there are seats, earlier ones rather than later; else
    all are wanted. ``awaited``: they waited for their turn when they were seen, and will do if
    somebody has made them live since.
    """

    tasks: Sequence[Task]
    either: bool = False
    awaited: bool = False


def make_offer(
    candidates: Sequence[Task], locks: Locks, *, seats: int, alike: bool, live: Container[str]
) -> Offer:
    """Return what to try of the ``candidates`` for so many ``seats``: nothing if none can be.

    Seats that are ``alike`` (one claimant's) take any of the first: which of them are still free,
    the engine may see in the push itself. But alternatives write their own live record and no
    other, and none of them shall cost a question about its gate that the first does not.
    """
    if alike:
        simple = takewhile(lambda t: t.id in live and not t.paths and not t.gate, candidates)
        most = range(seats + _ALTERNATIVES)
        alternatives = [task for task, _ in zip(simple, most, strict=False)]
        if len(alternatives) >= min(seats, len(candidates)):
            return Offer(alternatives, either=True)
    return Offer(_compatible(candidates, locks, seats))


def spread(candidates: Sequence[Task], who: Claimant, window: int, *, seats: int) -> list[Task]:
    """Return the candidates, the first ones of one priority in the claimant's own order.

    ``window``: how many at most. If none, those for the ``seats`` stand as they are, and those
    that are tried if somebody else gets them first are spread: or all who lose the first task would
    meet again at the second. See ``contention`` for the reason.
    """
    sure = 0 if window else seats
    rest = candidates[sure:]
    first = [t for t in rest[: window or _SECOND * seats] if t.priority == rest[0].priority]
    return [*candidates[:sure], *sorted(first, key=taste(who)), *rest[len(first) :]]


def _compatible(candidates: Sequence[Task], locks: Locks, count: int) -> list[Task]:
    """Return up to ``count`` candidates that can be claimed in one commit.

    Claims with paths rewrite the same record, so at most one of them; the next round has another.
    """
    chosen: list[Task] = []
    reserving = False
    for task in candidates:
        if len(chosen) == count:
            break
        if task.paths:
            if reserving or locks.damage is not None or collision(task, locks.standing) is not None:
                continue
            reserving = True
        chosen.append(task)
    return chosen
