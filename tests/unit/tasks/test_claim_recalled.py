"""Claims on what was seen last, when most of it has moved on; and that no two looks are mixed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gitbaton.core.errors import NothingToClaim, RemoteUnreachable
from gitbaton.store.deferred import Alternatives
from gitbaton.store.model import Choice, Committed, Snapshot, Spared, Transaction
from gitbaton.store.protocol import TidyReport
from gitbaton.tasks.drafts import Draft
from gitbaton.tasks.queue import Queue
from tests.unit.tasks.desk import ANN, Desk, Meddler, who


class Showing(Meddler):
    """Recalls what it read last, and sees in a push what has moved on since, as git does.

    ``made`` counts the alternatives that were made.
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.memory)
        self.clock = desk.clock
        self.last: Snapshot | None = None
        self.made = 0

    def read(self, prefix: str = "") -> Snapshot:
        self.clock.advance(0.001)
        self.last = super().read(prefix)
        return self.last

    def recall(self, prefix: str = "") -> Snapshot | None:
        return self.last

    def commit_first(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        assert isinstance(alternatives, Alternatives)
        self.firsts += 1
        there = self.store.read().records
        choices: list[Choice] = [Spared()] * len(alternatives)
        for place, (key, version) in enumerate(alternatives.expected):
            if there[key].version != version:
                choices[place] = Spared("moved")
            elif sum(isinstance(choice, Committed) for choice in choices) < count:
                [choices[place]] = self.commit([alternatives[place]])
        self.made += len(alternatives.made())
        return choices


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def store(desk: Desk) -> Showing:
    return Showing(desk)


@pytest.fixture
def queue(desk: Desk, store: Showing) -> Queue:
    return desk.join(store)


def test_what_has_moved_on_costs_no_look_and_is_never_made(
    desk: Desk, store: Showing, queue: Queue
) -> None:
    drafts = [Draft(title="x", id=f"t{n:03}", priority=5 + (n == 299)) for n in range(300)]
    desk.queue.add(drafts, actor=ANN)
    queue.view()
    for count in (100, 100, 99):
        desk.other.claim(who("eve"), count=count)
    store.reads = 0
    [won] = queue.claim(who())
    assert won.task.id == "t299"  # beyond the first offer: the second round knows what has moved
    assert (store.reads, store.firsts, store.made) == (0, 2, 1)


def test_when_all_has_moved_on_a_look_tells(desk: Desk, store: Showing, queue: Queue) -> None:
    """What is recalled, and what a push has shown of it, is never told."""
    for number in range(3):
        desk.add(f"t{number}")
    queue.view()
    held = desk.other.claim(who("eve"), count=3)
    desk.add("late")
    store.reads = 0
    assert queue.claim(who())[0].task.id == "late"
    assert (store.reads, store.made) == (1, 1)
    with pytest.raises(NothingToClaim) as told:
        queue.claim(who())
    assert told.value.code == "waiting"
    for claim in held:
        desk.other.done(claim.token)
    desk.other.cancel("late", None, actor=ANN)
    with pytest.raises(NothingToClaim) as told:
        queue.claim(who())
    assert told.value.code == "empty"


def test_what_came_back_is_offered_again(desk: Desk, store: Showing, queue: Queue) -> None:
    """I1: a task that moved on and is free again is claimed at its new version, one epoch on."""
    desk.add("a", priority=0)
    desk.add("b", priority=1)
    queue.view()
    [theirs] = desk.other.claim(who("eve"), ids=["a"])
    assert queue.claim(who())[0].task.id == "b"
    desk.other.release(theirs.token)
    [won] = queue.claim(who())
    assert (won.task.id, won.token.epoch) == ("a", 2)


def test_several_wanted_are_found_among_what_has_moved(
    desk: Desk, store: Showing, queue: Queue
) -> None:
    for number in range(40):
        desk.add(f"t{number:02}", priority=number // 10)
    queue.view()
    for number in range(40):
        if number % 10:
            desk.other.claim(who("eve"), ids=[f"t{number:02}"])
    store.reads = 0
    won = queue.claim(who(), count=4)
    assert [claim.task.id for claim in won] == ["t00", "t10", "t20", "t30"]
    assert (store.reads, store.made) == (0, 4)


# --- a backlog, and the upkeep that fails


class Unstageable(Meddler):
    """Shows what is pending as parked, and cannot stage it."""

    def read(self, prefix: str = "") -> Snapshot:
        shown = super().read(prefix)
        live = {k: r for k, r in shown.records.items() if r.value["status"] != "pending"}
        return Snapshot(shown.records, live, {}, shown.asked, shown.answered)

    def recall(self, prefix: str = "") -> Snapshot | None:
        return None

    def tidy(self, *, force: bool = False) -> TidyReport:
        raise RemoteUnreachable("away for a moment")


def test_who_waits_before_staging_takes_nothing_of_the_look_before(desk: Desk) -> None:
    """I1: a task that somebody claimed meanwhile is not claimed at its new version."""
    desk.add("a")
    store = Unstageable(desk.memory)
    queue = desk.join(store)
    queue._ledger.contention.lose()
    assert queue._ledger.contention.level >= 1
    store.after_read = lambda: desk.other.claim(who("eve"), ids=["a"])
    with pytest.raises(NothingToClaim) as told:
        queue.claim(who("bob"))
    assert told.value.code == "waiting"
    claim = desk.queue.get("a").claim
    assert claim is not None
    assert (claim.agent, claim.epoch) == ("eve", 1)


def test_what_cannot_be_staged_is_claimed_where_it_is(desk: Desk) -> None:
    desk.add("a")
    queue = desk.join(Unstageable(desk.memory))
    queue._ledger.contention.lose()
    assert queue.claim(who())[0].task.id == "a"
