"""What became of an agent's run."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum


class Ending(StrEnum):
    """How a run came to its end."""

    FINISHED = "finished"  # by itself: see status and signal
    TIMED_OUT = "timed_out"
    STOPPED = "stopped"  # by whoever called stop
    NOT_STARTED = "not_started"  # no such program, not executable, no such directory
    LOST = "lost"  # the guard was killed; the agent was ended, its status is unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentOutcome:
    """What became of a run.

    Exactly one of ``status`` and ``signal`` is set when the agent was started and its end is
    known. ``detail`` says why, where the reason alone does not. ``dropped`` counts the bytes of
    output that are not in the log. ``left`` counts processes that survived KILL for a minute: the
    worktree may still change under them.
    """

    reason: Ending
    status: int | None = None
    signal: int | None = None
    detail: str = ""
    tail: str = ""
    seconds: float = 0.0
    dropped: int = 0
    left: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether the agent ended by itself with exit status 0."""
        return self.reason is Ending.FINISHED and self.status == 0

    @property
    def summary(self) -> str:
        """The outcome in a few words, e.g. ``exit status 3`` or ``timed out after 90s``."""
        ended = f"killed by {_signal_name(self.signal)}" if self.signal else ""
        if self.status is not None:
            ended = f"exit status {self.status}"
        words = {
            Ending.FINISHED: ended,
            Ending.TIMED_OUT: f"timed out after {self.seconds:.0f}s",
            Ending.STOPPED: "stopped",
            Ending.NOT_STARTED: "could not be started",
            Ending.LOST: "lost: its guard was killed",
        }[self.reason]
        return f"{words}: {self.detail}" if self.detail else words


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
