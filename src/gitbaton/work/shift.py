"""A worker's shift, and who does what in it: the slots that run claims, and the chores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gitbaton.tasks.claims import Claimed


class Slot(Protocol):
    """Runs one claim from the worktree to the landing."""

    def run(self, claimed: Claimed, slot: int) -> bool:
        """Return whether the task was finished (landed, in review, or given to a person).

        Raises BatonError when no task can be worked on here: the worker ends.
        """
        ...

    def stop(self, reason: str) -> None:
        """End every running agent; its work is saved and its task released. Sets a flag only."""
        ...


class Chores(Protocol):
    """What any worker does for everybody."""

    def run(self, *, urgent: bool) -> None:
        """Reap, settle, send what waits, tidy what is due. Raises BatonError.

        ``urgent``: the worker has just found nothing to claim.
        """
        ...

    def finish(self) -> None:
        """Send what waits and refresh the board, before the worker ends. Raises BatonError."""
        ...

    def close(self) -> None:
        """Wait until nothing of it is under way: after this the stores are closed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How a worker works; ``lease`` in seconds.

    ``once``: one task. ``drain``: until there is nothing more for it to do, now or later.
    """

    name: str
    machine: str
    lease: float
    jobs: int = 1
    capabilities: frozenset[str] = frozenset()
    once: bool = False
    drain: bool = False
