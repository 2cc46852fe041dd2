"""Two orchestrators and their workers in any order, killed anywhere (I1, I4).

Whatever the interleaving, each phase lands exactly once, after all that it needs, and what runs
or is finished is never edited. It is read off the store's history, which nobody can rewrite.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gitbaton.core.errors import BatonError
from gitbaton.orchestration.standing import Verdict
from gitbaton.plans.doorbell import Answer, Reply
from gitbaton.tasks.claims import Claimed
from gitbaton.tasks.model import COLLECTION
from tests.unit.orchestration.stage import Killed, MortalStore, Show, Stage
from tests.unit.plans.plantext import phase
from tests.unit.tasks.desk import Meddler

SIZE = 4
EDITABLE = ("pending", "blocked", "failed")

either = st.integers(0, 1)
graphs = st.tuples(*(st.sets(st.integers(0, n - 1)) if n else st.just(set()) for n in range(SIZE)))


def file_of(needs: Sequence[set[int]], priority: int) -> list[str]:
    """Return a plan file with these needs, whose phases all have this priority."""
    return [
        phase(
            f"x{number}",
            f"priority = {priority}",
            f"needs = {json.dumps([f'x{need}' for need in sorted(wanted)])}",
        )
        for number, wanted in enumerate(needs)
    ]


class Control(RuleBasedStateMachine):
    """Two orchestrators, each with an older or a newer file, and one pool of workers."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(lease=60.0, backoff=0.0, max_attempts=99)
        self.held: list[Claimed] = []
        self.shows: list[Show] = []
        self.stores: dict[int, Meddler] = {}
        self.started: dict[int, bool] = {}
        self.priority = 2

    @initialize(needs=graphs, rings=st.booleans())
    def begin(self, needs: Sequence[set[int]], rings: bool) -> None:
        self.needs = needs
        self.stage.enlist("w1", rings=rings, slots=2)
        self.shows = [self.fresh(0), self.fresh(1)]

    def fresh(self, number: int, *, dies: int | None = None, after: bool = False) -> Show:
        """Return an orchestrator that knows nothing yet, of the newest file."""
        meddled = Meddler(MortalStore(self.stage.store, dies, after=after))
        self.stores[number], self.started[number] = meddled, False
        parts = file_of(self.needs, self.priority)
        return self.stage.show(*parts, store=meddled, seed=number)

    def go(self, number: int) -> None:
        show = self.shows[number]
        try:
            if not self.started[number]:
                show.orchestrator.start()
                self.started[number] = True
            show.step()
        except Killed:
            self.shows[number] = self.fresh(number)

    def between(self, number: int, moment: str, act: Callable[[], object]) -> None:
        """Let ``act`` happen inside the next round, around one call of its store."""
        setattr(self.stores[number], moment, act)
        self.go(number)
        setattr(self.stores[number], moment, None)

    # --- orchestrators

    @rule(number=either)
    def step(self, number: int) -> None:
        self.go(number)

    @rule(number=either, moment=st.sampled_from(["after_read", "before_commit", "after_commit"]))
    def step_within_a_step(self, number: int, moment: str) -> None:
        self.between(number, moment, lambda: self.go(1 - number))

    @rule(number=either, moment=st.sampled_from(["after_read", "before_commit"]))
    def claim_within_a_step(self, number: int, moment: str) -> None:
        self.between(number, moment, self.claim)

    @rule(number=either, moment=st.sampled_from(["after_read", "before_commit"]))
    def finish_within_a_step(self, number: int, moment: str) -> None:
        self.between(number, moment, self.finish)

    @rule(number=either, dies=st.integers(1, 8), after=st.booleans())
    def kill(self, number: int, dies: int, after: bool) -> None:
        self.shows[number] = self.fresh(number, dies=dies, after=after)
        self.go(number)

    @rule(number=either, priority=st.integers(0, 3))
    def start_with_a_changed_file(self, number: int, priority: int) -> None:
        self.priority = priority
        self.shows[number] = self.fresh(number)
        self.go(number)

    @rule(number=either, reply=st.sampled_from(Reply))
    def answer(self, number: int, reply: Reply) -> None:
        tower = self.shows[number].tower
        tower.waiting += [(bell, Answer(reply)) for bell in tower.rung[-1:]]

    # --- workers and people

    @rule()
    def claim(self) -> None:
        claimed = self.stage.claim()
        if claimed is not None:
            self.held.append(claimed)

    @precondition(lambda self: self.held)
    @rule()
    def finish(self) -> None:
        if self.held:
            self.end(lambda claimed: self.stage.other.done(claimed.token))

    @precondition(lambda self: self.held)
    @rule()
    def fail(self) -> None:
        self.end(lambda claimed: self.stage.other.fail(claimed.token, "no luck"))

    def end(self, how: Callable[[Claimed], object]) -> None:
        try:
            how(self.held.pop(0))
        except BatonError:
            pass  # it was reaped

    @rule(seconds=st.sampled_from([1.0, 25.0, 700.0]))
    def wait(self, seconds: float) -> None:
        self.stage.desk.clock.advance(seconds)

    # --- what must hold

    @invariant()
    def each_landed_once_and_after_its_needs(self) -> None:
        landed = self.stage.landings()
        assert len(landed) == len(set(landed)), landed
        for at, id in enumerate(landed):
            needs = {f"p.x{need}" for need in self.needs[int(id.removeprefix("p.x"))]}
            assert needs <= set(landed[:at]), (id, landed)

    @invariant()
    def nothing_was_edited_that_ran_or_was_finished(self) -> None:
        for change in self.stage.store.history():
            if change.key.startswith(f"{COLLECTION}/") and change.subject.startswith("edit:"):
                assert change.value is not None and change.value["status"] in EDITABLE

    def teardown(self) -> None:
        """Left alone, the newest file is in force and the plan comes to its end."""
        if not self.shows:
            return
        self.shows[0] = self.fresh(0)
        for _ in range(60):
            self.go(0)
            look = self.shows[0].step()
            if look.standing.verdict is Verdict.DONE:
                break
            self.claim()
            self.stage.desk.clock.advance(20.0)
            while self.held:
                self.finish()
        else:
            raise AssertionError(f"it did not come to an end: {look.standing}")
        assert sorted(self.stage.landings()) == [f"p.x{number}" for number in range(SIZE)]
        self.each_landed_once_and_after_its_needs()


TestControl = Control.TestCase
TestControl.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
