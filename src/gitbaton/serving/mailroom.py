"""The messages of one worker: doorbells are answered at once, free texts when a slot is free."""

from __future__ import annotations

from functools import partial
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError, RemoteUnreachable
from gitbaton.plans.inbox.bells import LOOK
from gitbaton.plans.inbox.drain import Drain
from gitbaton.plans.inbox.model import Delivery, Message
from gitbaton.serving.doorkeeping import Doorkeeper
from gitbaton.serving.errands import Errands, message_name
from gitbaton.serving.fitness import Fitness
from gitbaton.work.events import Teller
from gitbaton.work.reception import Floor

LEASE: Final = 120.0
"""Seconds for which a message is in a worker's hands, renewed while an agent works on it."""

_PAUSE: Final = 5.0  # seconds until doorbells are heard again when the remote could not be asked


class Mailroom:
    """Takes what came for one worker, from the inbox and from its files, and sees to it."""

    def __init__(
        self,
        drain: Drain,
        doorkeeper: Doorkeeper,
        errands: Errands,
        fitness: Fitness,
        *,
        clock: Clock,
        tell: Teller,
    ) -> None:
        self._drain, self._doorkeeper, self._errands = drain, doorkeeper, errands
        self._fitness, self._clock, self._tell = fitness, clock, tell
        self._due = self._deaf_until = clock.elapsed()
        self._open = False  # whether free texts were taken at the last look
        self._trouble: str | None = None

    def attend(self, floor: Floor) -> None:
        """Look whether something came, and see to all of it. Quick when nothing did."""
        open_now = self._takes_texts(floor)
        now = self._clock.elapsed()
        if now < self._due and not self._drain.has_news() and open_now == self._open:
            return
        self._due, self._open = now + LOOK, open_now
        try:
            while message := self._drain.next_message(wanted=partial(self._wants, floor)):
                self._see_to(message, floor)
            self._trouble = None
        except BatonError as error:
            if error.message != self._trouble:
                self._tell("notice", f"inbox: {error.message}")
            self._trouble = error.message

    def close(self) -> None:
        """Close the files that lead into the inbox."""
        self._drain.close()

    def _wants(self, floor: Floor, delivery: Delivery) -> bool:
        if delivery.task is not None:
            return self._clock.elapsed() >= self._deaf_until
        return self._takes_texts(floor)

    def _takes_texts(self, floor: Floor) -> bool:
        fit = self._fitness.reason is None and self._errands.possible
        return fit and not floor.draining and floor.free > 0

    def _see_to(self, message: Message, floor: Floor) -> None:
        task = message.delivery.task
        if task is None:
            floor.lend(message_name(message), partial(self._errands.run, message))
            return
        try:
            answer = self._doorkeeper.answer(floor, task)
        except RemoteUnreachable:
            self._deaf_until = self._clock.elapsed() + _PAUSE
            self._drain.inbox.release(message)
            raise
        self._drain.inbox.answer(message, answer.text)
        self._tell("notice", f"called by {message.delivery.sender}: {answer.text}", task=task)
