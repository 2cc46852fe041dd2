"""Answers to doorbells: a task is offered to this worker, which looks, and claims as ever."""

from __future__ import annotations

from gitbaton.core.errors import BatonError, NothingToClaim, RemoteUnreachable
from gitbaton.plans.doorbell import Answer, Reply
from gitbaton.plans.words import toolchain_word
from gitbaton.serving.fitness import Fitness
from gitbaton.tasks.machine import FINISHED
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.queue import Queue
from gitbaton.work.reception import Floor


class Doorkeeper:
    """Claims what worker ``name`` is called for, if it may. Nothing that a bell says is believed.

    A bell that is rung again is harmless: the second one finds the task claimed.
    """

    def __init__(self, name: str, queue: Queue, fitness: Fitness) -> None:
        self._name, self._queue, self._fitness = name, queue, fitness

    def answer(self, floor: Floor, task: str) -> Answer:
        """Claim ``task`` now, and return what to answer.

        Raises RemoteUnreachable when nothing could be found out: there is no answer yet.
        """
        if task in floor.at_work:  # but its claim may have been lost meanwhile
            return self._explain(task, "it is being given back here", Reply.BUSY)
        if floor.draining:
            return Answer(Reply.REFUSED, "it is draining")
        if self._fitness.reason is not None:
            return Answer(Reply.REFUSED, self._fitness.reason)
        if floor.free < 1:
            return self._explain(task, "no slot is free", Reply.BUSY)
        try:
            self._claim(floor, task)
        except RemoteUnreachable:
            raise
        except BatonError as error:
            return self._explain(task, error.message)
        return Answer(Reply.CLAIMED)

    def _claim(self, floor: Floor, task: str) -> None:
        try:
            floor.engage(task)
        except NothingToClaim:
            if not self._has_new_plan(task):
                raise
            floor.engage(task)

    def _has_new_plan(self, task: str) -> bool:
        """Tell whether it wanted the word of a plan that this worker has only now heard of."""
        plan = self._queue.get(task).plan
        word = toolchain_word(plan) if plan else None
        if word is None or word in (self._fitness.words() or ()):
            return False
        self._fitness.look(fresh=True)
        return word in (self._fitness.words() or ())

    def _explain(self, task: str, reason: str, otherwise: Reply = Reply.REFUSED) -> Answer:
        """Return why it was not claimed: it needs nobody any more, or not here, or not now."""
        try:
            found: Task = self._queue.get(task)
        except RemoteUnreachable:
            raise
        except BatonError as error:
            return Answer(Reply.REFUSED, error.message)
        if found.claim is not None:
            if found.claim.worker == self._name:
                return Answer(Reply.CLAIMED)
            return Answer(Reply.HELD, f"{found.claim.agent} has it")
        if found.status in FINISHED or found.status is Status.REVIEW:
            return Answer(Reply.HELD, f"it is {found.status}")
        return Answer(otherwise, reason)
