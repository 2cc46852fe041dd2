"""One claim in one slot: whose it is, what its files are called, and who hears of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gitbaton.store.model import Actor
from gitbaton.tasks.claims import Token
from gitbaton.tasks.model import Claim, Task
from gitbaton.work.crew import Crew
from gitbaton.work.events import Kind
from gitbaton.work.record import claim_name


@dataclass(frozen=True, slots=True)
class Post:
    """A claim that was won, in the slot that works on it (counted from 1)."""

    crew: Crew
    task: Task
    token: Token
    claim: Claim
    slot: int

    @property
    def actor(self) -> Actor:
        """Who signs what is committed for it."""
        return Actor(self.claim.agent)

    @property
    def name(self) -> str:
        """The name of this claim's files: ``<task>-e<epoch>``."""
        return claim_name(self.task.id, self.token.epoch)

    @property
    def log(self) -> Path:
        """Where the agent's output goes."""
        return self.crew.logs / f"{self.name}.log"

    @property
    def prompt_file(self) -> Path:
        """Where the agent finds its prompt."""
        return self.crew.prompts / f"{self.name}.md"

    def say(
        self,
        kind: Kind,
        text: str,
        *,
        commit: str | None = None,
        branch: str | None = None,
        log: str | None = None,
    ) -> None:
        """Let the crew's listener know."""
        self.crew.tell(
            kind,
            text,
            slot=self.slot,
            task=self.task.id,
            epoch=self.token.epoch,
            commit=commit,
            branch=branch,
            log=log,
        )
