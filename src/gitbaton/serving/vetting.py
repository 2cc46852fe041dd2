"""The last look before an agent runs: where the runtime will not do, the task goes back."""

from __future__ import annotations

from gitbaton.serving.fitness import Fitness
from gitbaton.tasks.claims import Claimed
from gitbaton.work.crew import Crew
from gitbaton.work.ending import GivenBack, end_claim
from gitbaton.work.post import Post
from gitbaton.work.shift import Slot


class Vetting:
    """A slot (``work.shift.Slot``) that runs an assignment only where the runtime will do."""

    def __init__(self, crew: Crew, slot: Slot, fitness: Fitness) -> None:
        self._crew, self._slot, self._fitness = crew, slot, fitness

    def run(self, claimed: Claimed, slot: int) -> bool:
        """Run one claim to its end, or release it with what was found and what is required."""
        reason = self._fitness.verdict(claimed.task)
        if reason is None:
            return self._slot.run(claimed, slot)
        claim = claimed.task.claim
        assert claim is not None, "a task just claimed has its claim"
        post = Post(self._crew, claimed.task, claimed.token, claim, slot)
        try:
            return bool(end_claim(post, GivenBack(reason), set()))
        finally:
            self._crew.company.landed(slot)

    def stop(self, reason: str) -> None:
        """End every running agent, as ``work.shift.Slot`` does."""
        self._slot.stop(reason)
