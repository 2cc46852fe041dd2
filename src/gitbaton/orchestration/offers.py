"""The doorbells that one orchestrator has rung, and who did not come (pure but for its memory).

It forgets all of this when it ends. Another one rings again, and gets the first answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gitbaton.core.ids import TaskId
from gitbaton.plans.doorbell import Answer, Bell, Reply
from gitbaton.store.model import Version
from gitbaton.tasks.model import Status, Task

PATIENCE: Final = 2  # looks without an answer
SHUNNED: Final = 600.0  # seconds for which others are asked after a no
BUSY: Final = 15.0  # seconds after the first "no slot is free"; doubles each time
BUSIEST: Final = 240.0

Beats = Mapping[str, Version]
"""The workers that take tasks and have a free slot by their records, and the records' versions."""


@dataclass(slots=True)
class _Offer:
    bell: Bell
    made: float
    looks: int = 0


@dataclass(slots=True)
class _Pause:
    until: float
    busy: bool  # it said that no slot was free, and nothing else
    seen: Version | None  # of its record at that time, if that showed a free slot


class Offers:
    """What was offered to whom. Times are readings of the observer's clock, in seconds."""

    def __init__(self) -> None:
        self._open: dict[TaskId, _Offer] = {}
        self._pauses: dict[tuple[TaskId, str], _Pause] = {}
        self._rung: dict[tuple[TaskId, str], tuple[int, int]] = {}  # epoch, times in it

    @property
    def open(self) -> Mapping[TaskId, Bell]:
        """The bells that may still be answered, by task."""
        return {id: offer.bell for id, offer in self._open.items()}

    def times(self, task: TaskId, epoch: int, worker: str) -> int:
        """Return how often this was offered to ``worker`` before."""
        before, times = self._rung.get((task, worker), (epoch, 0))
        return times if before == epoch else 0

    def make(self, bell: Bell, now: float) -> None:
        """Note that ``bell`` was rung."""
        times = self.times(bell.task, bell.epoch, bell.worker)
        self._rung[bell.task, bell.worker] = bell.epoch, times + 1
        self._open[bell.task] = _Offer(bell, now)

    def settle(
        self,
        tasks: Mapping[TaskId, Task],
        answers: Iterable[tuple[Bell, Answer]],
        now: float,
        *,
        interval: float,
        beats: Beats,
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
                busy = answer is not None and answer.reply is Reply.BUSY
                pause = self._busy_for(bell) if busy else SHUNNED
                self._pauses[id, bell.worker] = _Pause(now + pause, busy, beats.get(bell.worker))

    def declined(self, now: float, beats: Beats) -> Mapping[TaskId, frozenset[str]]:
        """Return whom not to offer which task for now.

        Who had no slot is asked again when its pause is over, or as soon as a new beat of it
        shows one.
        """
        self._pauses = {
            pair: pause
            for pair, pause in self._pauses.items()
            if pause.until > now and not _has_a_slot_now(pause, beats.get(pair[1]))
        }
        found: dict[TaskId, frozenset[str]] = {}
        for id, worker in self._pauses:
            found[id] = found.get(id, frozenset()) | {worker}
        return found

    def _busy_for(self, bell: Bell) -> float:
        times = self.times(bell.task, bell.epoch, bell.worker)
        return min(BUSY * 2.0 ** min(times - 1, 30), BUSIEST)


def _has_a_slot_now(pause: _Pause, beat: Version | None) -> bool:
    return pause.busy and beat is not None and beat != pause.seen
