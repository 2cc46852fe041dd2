"""The ready graph: which tasks may be claimed, in which order, what stands in the way (pure)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final
from zlib import crc32

from gitbaton.core.ids import TaskId
from gitbaton.tasks.circles import find_cycle, needs_below
from gitbaton.tasks.claims import Claimant
from gitbaton.tasks.decoded import RANK
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.leases import time_left
from gitbaton.tasks.machine import FINISHED, next_command
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.reservations import collision, standing
from gitbaton.tasks.text import clean_line
from gitbaton.tasks.view import View

_EQUALS: Final = attrgetter("priority", "created_at")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason why a task is not ready. ``kind``: status, need, gate, capability, delay, paths,
    claim. ``about``: the id, gate, capability ... that it is about. ``text``: a sentence."""

    kind: str
    about: str
    text: str
    next: str | None = None


class Readiness:
    """Answers for one view, one gatekeeper and one claimant; makes its indexes once.

    ``who`` None: anybody, so capabilities are not asked for.
    """

    def __init__(self, view: View, gatekeeper: GateKeeper, who: Claimant | None = None) -> None:
        self._view = view
        self._gatekeeper = gatekeeper
        self._who = who
        self._reserved = standing((), view)

    def ready(self, tasks: Iterable[Task] | None = None) -> list[Task]:
        """Return those of ``tasks`` that may be claimed, in the order in which to try.

        ``tasks`` None: of all, which asks for the whole backlog.
        """
        if tasks is None:
            pending, known = self._view.pending, self._view.tasks.whole().tasks
        else:
            pending = sorted((t for t in tasks if t.status is Status.PENDING), key=RANK)
            known = self._view.tasks
        return _spread([t for t in pending if _is_plain(t) or self._is_free(t, known)], self._who)

    def obstacles(self, task: Task) -> list[Obstacle]:
        """Return everything that keeps ``task`` from being claimed (none: it is ready)."""
        found = list(self._in_the_way(task))
        if any(obstacle.kind == "need" for obstacle in found):
            circle = find_cycle(needs_below(self._view.tasks, [task.id]), [task.id])
            if circle:
                text = f"it can never start: {' -> '.join(circle)} is a circle"
                found.append(Obstacle("need", circle[0], text, f"baton edit {circle[0]}"))
        return found

    def kinds(self, task: Task) -> set[str]:
        """Return the kinds of what keeps ``task`` from being claimed; cheaper than the words."""
        return {obstacle.kind for obstacle in self._in_the_way(task)}

    def broken(self, task: Task, commit: str | None = None) -> list[Obstacle]:
        """Return what a claim of ``task`` relies on and does not find (any more)."""
        return [*self._needs(task), *self._gate(task, commit), *self._paths(task)]

    def _is_free(self, task: Task, known: Mapping[TaskId, Task]) -> bool:
        """Tell whether nothing is in the way; what waits for a need is seen to do so at once."""
        for need in task.needs:
            other = known.get(need)
            if other is None or not is_met(other):
                return False
        return next(self._in_the_way(task), None) is None

    def _in_the_way(self, task: Task) -> Iterator[Obstacle]:
        """Yield the obstacles, those that are cheap to find first."""
        if task.status is not Status.PENDING:
            yield _status(task)
            return
        yield from self._needs(task)
        yield from self._capabilities(task)
        yield from self._delay(task)
        yield from self._gate(task, None)
        yield from self._paths(task)

    def _needs(self, task: Task) -> Iterator[Obstacle]:
        for need in task.needs:
            other = self._view.tasks.get(need)
            if other is None:
                damage = self._view.damage(need)
                why = "does not exist" if damage is None else f"cannot be read ({damage})"
                then = f"baton edit {task.id}" if damage is None else "baton doctor"
                yield Obstacle("need", need, f"it needs {need}, which {why}", then)
            elif not is_met(other):
                yield Obstacle("need", need, f"it needs {_standing(other)}", _remedy(other))

    def _gate(self, task: Task, commit: str | None) -> Iterator[Obstacle]:
        why = self._gatekeeper.closed(task, commit)
        if why is not None:
            yield Obstacle("gate", task.gate or "", why, f"baton approve {task.id}")

    def _capabilities(self, task: Task) -> Iterator[Obstacle]:
        if self._who is not None:
            for word in task.requires:
                if word not in self._who.capabilities:
                    text = f"it requires {word!r}, which {self._who.worker} does not have"
                    yield Obstacle("capability", word, text)

    def _delay(self, task: Task) -> Iterator[Obstacle]:
        left = time_left(task, self._view.sight(task.id)) if task.delay > 0 else 0.0
        if left > 0:
            text = f"it waits {math.ceil(left)}s more before the next attempt"
            yield Obstacle("delay", task.id, text)

    def _paths(self, task: Task) -> Iterator[Obstacle]:
        met = collision(task, self._reserved) if task.paths else None
        if met is not None:
            entry, (mine, other, file) = met
            text = (
                f"{entry.task} is in progress and may touch the same files: "
                f"{mine} and {other} both match {clean_line(file)}"
            )
            yield Obstacle("paths", entry.task, text, f"baton show {entry.task}")


def _is_plain(task: Task) -> bool:
    """Tell whether a pending ``task`` waits for nothing, whatever there is besides."""
    return not (task.needs or task.requires or task.delay or task.paths or task.gate)


def is_met(need: Task) -> bool:
    """Tell whether tasks that need this one may start: it is done, or in review and pushed."""
    if need.status is Status.REVIEW:
        return need.result is not None and need.result.branch is not None
    return need.status is Status.DONE


def claim_order(tasks: Iterable[Task], who: Claimant | None = None) -> list[Task]:
    """Return ``tasks`` by priority, then age; equals in an order of the claimant's own.

    Times have whole seconds, so what was added together is equal.
    """
    return _spread(sorted(tasks, key=RANK), who)


def _spread(ordered: list[Task], who: Claimant | None) -> list[Task]:
    """Return tasks that are in order with equals in an order of the claimant's own."""
    if who is None:
        return ordered
    own = taste(who)
    groups = (list(equals) for _, equals in groupby(ordered, key=_EQUALS))
    return [task for equals in groups for task in sorted(equals, key=own)]


def taste(who: Claimant) -> Callable[[Task], int]:
    """Return a claimant's own rank for a task (smallest first), spread evenly over claimants.

    A checksum of the id and a hash of the claimant, mixed as Python mixes a tuple of numbers (the
    same in every process; it matters to nobody else): a hash of both texts, or a mix of our own,
    would take a sixth of a second for 100,000 tasks.
    """
    words = "\0".join((who.machine, who.worker, who.agent)).encode("utf-8", "surrogatepass")
    seed = int.from_bytes(hashlib.sha256(words).digest()[:7])
    return lambda task: hash((crc32(task.id.encode()), seed))


def _status(task: Task) -> Obstacle:
    if task.claim is None:
        text = f"it is {task.status}{_because(task)}"
        return Obstacle("status", task.status.value, text, next_command(task))
    text = f"{task.claim.agent} has it since {task.claim.claimed_at} (epoch {task.epoch})"
    return Obstacle("claim", task.claim.agent, text, f"baton show {task.id}")


def _standing(need: Task) -> str:
    if need.status is Status.REVIEW:
        return f"{need.id}, which is in review without a pushed branch"
    return f"{need.id}, which is {need.status}{_because(need)}"


def _because(task: Task) -> str:
    if not task.reason or task.status is Status.IN_PROGRESS:  # then it tells of an earlier attempt
        return ""
    return f": {clean_line(task.reason, 80)}"


def _remedy(need: Task) -> str:
    """Return the command for what holds up a need: what people must move on, else the why."""
    stuck = need.status in FINISHED or need.status in (Status.BLOCKED, Status.REVIEW)
    return next_command(need) if stuck else f"baton why {need.id}"
