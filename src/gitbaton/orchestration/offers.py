"""The doorbells that one orchestrator has rung, and who did not come (pure but for its memory).

It forgets all of this when it ends. Another one rings again, and gets the first answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gitbaton.core.ids import TaskId
from gitbaton.plans.doorbell import Answer, Bell, Reply
from gitbaton.tasks.model import Status, Task

PATIENCE: Final = 2  # looks without an answer
SHUNNED: Final = 600.0  # seconds for which others are asked


@dataclass(slots=True)
class _Offer:
    bell: Bell
    made: float
    looks: int = 0


class Offers:
    """What was offered to whom. Times are readings of the observer's clock, in seconds."""

    def __init__(self) -> None:
        self._open: dict[TaskId, _Offer] = {}
        self._until: dict[tuple[TaskId, str], float] = {}

    @property
    def open(self) -> Mapping[TaskId, Bell]:
        """The bells that may still be answered, by task."""
        return {id: offer.bell for id, offer in self._open.items()}

    def make(self, bell: Bell, now: float) -> None:
        """Note that ``bell`` was rung."""
        self._open[bell.task] = _Offer(bell, now)

    def settle(
        self,
        tasks: Mapping[TaskId, Task],
        answers: Iterable[tuple[Bell, Answer]],
        now: float,
        *,
        interval: float,
    ) -> None:
        """Take note of a look at ``tasks``, and of the answers since the last one.

        An offer is over when the task is no longer as it was offered. It is declined when the
        worker says no, or for two looks neither it nor the task says yes. ``interval``: seconds
        from look to look; those between, which others' answers cause, do not make it late.
        """
        said = dict(answers)
        for id, offer in list(self._open.items()):
            task, bell = tasks.get(id), offer.bell
            if task is None or (task.status, task.epoch) != (Status.PENDING, bell.epoch):
                del self._open[id]
                continue
            offer.looks += 1
            answer = said.get(bell)
            no = answer is not None and answer.reply is not Reply.CLAIMED
            late = offer.looks > PATIENCE and now - offer.made >= PATIENCE * interval
            if no or late:
                del self._open[id]
                self._until[id, bell.worker] = now + SHUNNED

    def declined(self, now: float) -> Mapping[TaskId, frozenset[str]]:
        """Return whom not to offer which task for now."""
        self._until = {pair: end for pair, end in self._until.items() if end > now}
        found: dict[TaskId, frozenset[str]] = {}
        for id, worker in self._until:
            found[id] = found.get(id, frozenset()) | {worker}
        return found
