"""What the slots of a worker work on now, for whoever watches them."""

from __future__ import annotations

from gitbaton.plans.health.activity import Agent
from gitbaton.tasks.claims import Claimed
from gitbaton.work.crew import Crew
from gitbaton.work.record import claim_name
from gitbaton.work.shift import Slot


class Roster:
    """A slot (``work.shift.Slot``) that remembers what is running, and why it is to stop."""

    def __init__(self, crew: Crew, slot: Slot) -> None:
        self._crew, self._slot = crew, slot
        self._running: dict[int, Claimed] = {}
        self.stopped: str | None = None
        """Why all agents have to end now; None: they have not."""

    def agents(self) -> list[Agent]:
        """Return the agents at work, with the places that show what they do."""
        return [self._agent(claimed) for claimed in self._running.copy().values()]

    def run(self, claimed: Claimed, slot: int) -> bool:
        """Run one claim to its end."""
        self._running[slot] = claimed
        try:
            return self._slot.run(claimed, slot)
        finally:
            del self._running[slot]

    def stop(self, reason: str) -> None:
        """End every running agent, as ``work.shift.Slot`` does."""
        self.stopped = reason
        self._slot.stop(reason)

    def _agent(self, claimed: Claimed) -> Agent:
        name = claim_name(claimed.task.id, claimed.token.epoch)
        return Agent(
            task=claimed.task.id,
            epoch=claimed.token.epoch,
            log=self._crew.logs / f"{name}.log",
            worktree=self._crew.worktrees / name,
        )
