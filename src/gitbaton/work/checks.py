"""Checks and set-up: commands that must succeed in a worktree, run as carefully as agents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitbaton.core.clock import Clock
from gitbaton.work.agent import AgentRun, AgentSpec
from gitbaton.work.command import parse_command
from gitbaton.work.outcome import Ending


class Interrupted(Exception):
    """The run was stopped from outside; ``reason`` says why. Not a failure of the command."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """How a list of commands is run, one after the other. ``timeout`` in seconds for each."""

    clock: Clock
    logs: Path
    timeout: float
    cap: int

    def run(
        self,
        commands: Sequence[str],
        *,
        name: str,
        cwd: Path,
        env: Mapping[str, str],
        field: str,
        should_stop: Callable[[], str | None] = lambda: None,
    ) -> str | None:
        """Run ``commands`` in ``cwd``; return what failed first (with its output), or None.

        Logs go to ``<logs>/<name>-<n>.log``. A command that cannot be run has failed (I9).
        Raises Interrupted when ``should_stop`` said so, InvalidInput naming ``field`` for a
        command that cannot be split into words.
        """
        for number, command in enumerate(commands, 1):
            spec = AgentSpec(
                argv=parse_command(command, field=field),
                cwd=cwd,
                env=env,
                log=self.logs / f"{name}-{number}.log",
                timeout=self.timeout,
                cap=self.cap,
            )
            outcome = AgentRun(spec, clock=self.clock, should_stop=should_stop).run()
            if outcome.reason is Ending.STOPPED:
                raise Interrupted(outcome.detail)
            if not outcome.succeeded:
                return f"`{command}`: {outcome.summary}\n{outcome.tail}".rstrip()
        return None
