"""All that a worker attends to besides the queue, in one order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

from gitbaton.core.errors import BatonError
from gitbaton.serving.fitness import Fitness
from gitbaton.work.events import Teller
from gitbaton.work.reception import Floor

Attend: TypeAlias = Callable[[Floor], None]


class Rounds:
    """The reception (``work.reception.Reception``) of a worker whose words never change."""

    def __init__(self, words: frozenset[str], attendants: Sequence[Attend]) -> None:
        self._words, self._attendants = words, attendants

    def attend(self, floor: Floor) -> None:
        """Let each do what is due. Raises what ends the worker."""
        for attend in self._attendants:
            attend(floor)

    def words(self) -> frozenset[str] | None:
        return self._words


class FitRounds(Rounds):
    """The same for a worker that claims what its runtime allows, and says when it changes."""

    def __init__(self, fitness: Fitness, attendants: Sequence[Attend], tell: Teller) -> None:
        super().__init__(frozenset(), attendants)
        self._fitness, self._tell = fitness, tell
        self._told: str | None = None

    def attend(self, floor: Floor) -> None:
        with suppress(BatonError):  # then the plans are those that were known
            self._fitness.look()
        reason = self._fitness.reason
        if reason != self._told:
            self._tell("notice", f"takes nothing: {reason}" if reason else "takes tasks again")
        self._told = reason
        super().attend(floor)

    def words(self) -> frozenset[str] | None:
        return self._fitness.words()
