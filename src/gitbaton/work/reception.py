"""What a worker attends to besides pulling tasks from the queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Errand = Callable[[int], None]
"""Something that takes a slot for a while and is no task; it gets the slot's number."""


class Floor(Protocol):
    """What a worker lets its reception see and do. Only to be used while it attends."""

    @property
    def at_work(self) -> tuple[str, ...]:
        """What the slots do now: tasks, and errands by name."""
        ...

    @property
    def free(self) -> int:
        """How many slots have nothing to do."""
        ...

    @property
    def draining(self) -> bool:
        """Whether it takes nothing more."""
        ...

    def engage(self, task: str) -> None:
        """Claim this task now and start on it. Needs a free slot. Raises as ``Queue.claim``."""
        ...

    def lend(self, name: str, errand: Errand) -> None:
        """Let ``errand`` have a slot that is free."""
        ...


class Reception(Protocol):
    """What else goes on around a worker's loop."""

    def attend(self, floor: Floor) -> None:
        """Do what is due, in every turn of the loop; quick when nothing is.

        Raises BatonError when the worker is to end as soon as its slots are free.
        """
        ...

    def words(self) -> frozenset[str] | None:
        """Return the capabilities to claim with now; None: nothing is to be claimed now."""
        ...


class Bare:
    """The reception of a worker that only pulls."""

    def __init__(self, words: frozenset[str]) -> None:
        self._words = words

    def attend(self, floor: Floor) -> None:
        pass

    def words(self) -> frozenset[str] | None:
        return self._words
