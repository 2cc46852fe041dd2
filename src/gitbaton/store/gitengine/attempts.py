"""What has been tried for one transaction so far, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gitbaton.git.remote import PushState, RefResult
from gitbaton.store.gitengine.plan import Plan, Stamp
from gitbaton.store.gitengine.state import Held
from gitbaton.store.model import Key, Outcome, Target, Transaction


@dataclass(slots=True)
class Attempts:
    """One transaction, under one stamp however often it is tried, until its outcome is certain."""

    tx: Transaction
    stamp: Stamp
    base: Held | None = None  # the live record that it alone moves, if that is all it does
    outcome: Outcome | None = None
    plans: list[Plan] = field(default_factory=list)  # all that may have reached the server
    refusals: int = 0
    unsent: int = 0
    last: RefResult = field(default_factory=lambda: RefResult(PushState.UNSENT))
    ref: str | None = None
    stepwise: bool = False  # updates were sent one by one: the host has no atomic push
    alone: bool = False  # it does not share pushes (any more)
    in_doubt: bool = False  # an answer was lost: what was sent then may be carried out later

    @property
    def targets(self) -> Iterator[Target]:
        """The refs besides its records that it moves."""
        return (move.target for move in self.tx.moves)

    @property
    def written(self) -> set[Key]:
        """The keys that some plan of it has written."""
        return {key for plan in self.plans for key in plan.envelopes}

    @property
    def surely_raced(self) -> bool:
        """Whether somebody was faster, and no plan of it can ever have been applied."""
        return len(self.plans) == 1 and self.last.state is PushState.STALE

    def note(self, results: Mapping[str, RefResult], *, shared: bool) -> None:
        """Remember a push that did not go through, by the fate of this transaction's own refs.

        ``shared``: others were in the push. What befell it only because of them is not counted.
        """
        if any(r.state is PushState.UNKNOWN and not r.answered for r in results.values()):
            self.in_doubt = True
        refused = [(r, s) for r, s in results.items() if s.state is PushState.REFUSED]
        if refused:
            self.ref, self.last = refused[0]
            self.refusals += 1
            self.alone = True  # what the host refuses must not hold up anybody else
            return
        for ref, result in results.items():
            if result.state is not PushState.DONE:
                self.ref, self.last = ref, result
        if not shared and _unsent(results):
            self.unsent += 1


def _unsent(results: Mapping[str, RefResult]) -> bool:
    return all(result.state is PushState.UNSENT for result in results.values())
