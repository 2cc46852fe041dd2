"""What a worker tells: one value for each thing that happens, for screens, lines and JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gitbaton.core.clock import Clock, rfc3339

Kind: TypeAlias = Literal[
    "started",  # the worker is up
    "claimed",
    "working",  # what a slot does now: setup, agent, check, landing
    "output",  # a line that an agent printed
    "landed",
    "review",  # published, waiting for a person
    "failed",  # the attempt; the task may be tried again
    "blocked",
    "released",
    "lost",  # the claim was taken away
    "queued",  # finished, but the remote is away: waits in the outbox
    "rescued",  # work that did not land was saved
    "kept",  # a worktree that holds what a commit cannot carry
    "reaped",  # an abandoned claim was taken back
    "waiting",  # nothing to claim, and why
    "notice",  # anything else a person should know
    "draining",
    "ended",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkEvent:
    """One thing that happened. ``slot`` counts from 1; None: the worker as a whole."""

    kind: Kind
    at: str  # RFC 3339
    text: str
    slot: int | None = None
    task: str | None = None
    epoch: int | None = None
    commit: str | None = None
    branch: str | None = None
    log: str | None = None


Listener: TypeAlias = Callable[[WorkEvent], None]


@dataclass(frozen=True, slots=True)
class Teller:
    """Makes events of what happens, and lets ``listener`` know."""

    listener: Listener
    clock: Clock

    def __call__(
        self,
        kind: Kind,
        text: str,
        *,
        slot: int | None = None,
        task: str | None = None,
        epoch: int | None = None,
        commit: str | None = None,
        branch: str | None = None,
        log: str | None = None,
    ) -> None:
        """Tell one thing that happened now."""
        self.listener(
            WorkEvent(
                kind=kind,
                at=rfc3339(self.clock.now()),
                text=text,
                slot=slot,
                task=task,
                epoch=epoch,
                commit=commit,
                branch=branch,
                log=log,
            )
        )
