"""What a claim costs: looks and commits, counted; and that what is recalled is never an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from gitbaton.core.errors import ClaimLost, InvalidInput, NothingToClaim
from gitbaton.core.ids import TaskId
from gitbaton.store.deferred import are_awaited, expectation
from gitbaton.store.model import (
    Branch,
    Choice,
    Committed,
    Move,
    Outcome,
    Snapshot,
    Spared,
    Transaction,
)
from gitbaton.tasks.claims import Claimed
from gitbaton.tasks.contention import FRESH
from gitbaton.tasks.drafts import Draft
from gitbaton.tasks.holding import renewed
from gitbaton.tasks.queue import Queue
from tests.unit.tasks.desk import ANN, OID, Desk, Meddler, who


class Remembering(Meddler):
    """Recalls what it read last, without what was committed since: out of date, as engines may be.

    ``parked`` names the keys that are not live until somebody tidies.
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.memory)
        self.clock = desk.clock
        self.last: Snapshot | None = None

    def read(self, prefix: str = "") -> Snapshot:
        self.clock.advance(0.001)
        self.last = super().read(prefix)
        return self.last

    def recall(self, prefix: str = "") -> Snapshot | None:
        return self.last

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        self.clock.advance(0.001)
        return super().commit(transactions)

    @property
    def cost(self) -> tuple[int, int]:
        """Looks and commits since the last time; alternatives count one by one."""
        cost = self.reads, len(self.commits)
        self.reads, self.firsts = 0, 0
        self.commits.clear()
        return cost


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def store(desk: Desk) -> Remembering:
    return Remembering(desk)


@pytest.fixture
def queue(desk: Desk, store: Remembering) -> Queue:
    return desk.join(store)


def warm(queue: Queue, store: Remembering) -> None:
    assert store.cost
    queue.view()
    assert store.cost == (1, 0)


def take(queue: Queue, *ids: str) -> Claimed:
    [won] = queue.claim(who(), ids=ids)
    return won


def test_a_warm_claim_is_one_push_and_nothing_else(
    desk: Desk, store: Remembering, queue: Queue
) -> None:
    desk.add("a")
    desk.add("b")
    warm(queue, store)
    queue.claim(who())
    assert (store.firsts, store.cost) == (1, (0, 1))


@pytest.mark.parametrize("fields", [{"needs": ["n"]}, {"gate": "g"}, {"paths": ["src/**"]}])
def test_a_claim_that_relies_on_more_looks_once_more(
    desk: Desk, store: Remembering, queue: Queue, fields: dict[str, Any]
) -> None:
    desk.add("n")
    desk.other.done(take(desk.other, "n").token)
    desk.add("a", **fields)
    if "gate" in fields:
        desk.other.approve("a", actor=ANN)
    warm(queue, store)
    assert take(queue).task.id == "a"
    assert store.cost == (1, 1)


def test_a_cold_claim_looks_first(desk: Desk, store: Remembering, queue: Queue) -> None:
    desk.add("a")
    take(queue)
    assert store.cost == (1, 1)


def test_what_was_seen_long_ago_is_not_worth_a_try(
    desk: Desk, store: Remembering, queue: Queue
) -> None:
    desk.add("a")
    desk.add("b")
    warm(queue, store)
    desk.clock.advance(FRESH - 1)
    take(queue, "a")
    assert store.cost == (0, 1)
    desk.clock.advance(2)
    take(queue, "b")
    assert store.cost == (1, 1)


def test_a_lost_guess_costs_one_more_try(desk: Desk, store: Remembering, queue: Queue) -> None:
    """I1: what was recalled decides nothing; the token is of what is there."""
    desk.add("a")
    warm(queue, store)
    desk.other.release(take(desk.other, "a").token)
    won = take(queue, "a")
    assert store.cost == (1, 2)
    assert won.token.epoch == 2
    assert desk.queue.check(won.token).task == won.task


def test_what_is_recalled_is_never_told(desk: Desk, store: Remembering, queue: Queue) -> None:
    warm(queue, store)
    desk.add("late")
    assert take(queue, "late").task.id == "late"  # not "there is no such task"
    desk.other.cancel("late", None, actor=ANN)
    desk.other.retry("late", force=True, actor=ANN)
    assert take(queue, "late").token.epoch == 2  # not "it is held"
    desk.add("n")
    desk.add("m", needs=["n"])
    warm(queue, store)
    desk.other.done(take(desk.other, "n").token)
    assert take(queue, "m").task.id == "m"  # not "it waits"


def test_what_the_engine_saw_after_a_lost_race_is_enough(
    desk: Desk, store: Remembering, queue: Queue
) -> None:
    desk.add("a", priority=0)
    desk.add("b", priority=1)
    desk.add("c")
    warm(queue, store)
    desk.other.claim(who("eve"), ids=["a"])

    def look_about() -> None:
        store.last = desk.memory.read()

    store.after_commit = look_about
    won = queue.claim([who("one"), who("two")])  # a batch: nothing is chosen in the session
    assert [claimed.task.id for claimed in won] == ["c", "b"]
    assert store.cost == (0, 2)


def test_alternatives_are_offered_most_urgent_first(
    desk: Desk, store: Remembering, queue: Queue
) -> None:
    for number in range(20):
        desk.add(f"t{number:02}", priority=number // 4)
    warm(queue, store)
    gone = desk.other.claim(who("eve"), count=4)
    won = take(queue)
    assert {claimed.task.priority for claimed in gone} == {0}
    assert won.task.priority == 1
    assert (store.firsts, store.cost) == (1, (0, 5))


# --- several seats


def test_each_seat_gets_its_own_claim_in_one_commit(
    desk: Desk, store: Remembering, queue: Queue
) -> None:
    for number in range(5):
        desk.add(f"t{number}")
    warm(queue, store)
    seats = [who(f"w1#{number}") for number in range(4)]
    won = queue.claim(seats)
    assert [c.task.claim and c.task.claim.agent for c in won] == [s.agent for s in seats]
    assert len({c.task.id for c in won}) == 4
    assert store.cost == (0, 1)
    [last] = queue.claim(seats)
    assert last.task.claim is not None
    assert last.task.claim.agent == "w1#0"


def test_seats_that_lost_are_filled_in_the_next_round(
    desk: Desk, store: Remembering, queue: Queue
) -> None:
    for number in range(6):
        desk.add(f"t{number}")
    warm(queue, store)
    desk.other.claim(who("eve"), count=3)
    won = queue.claim([who(f"w1#{number}") for number in range(3)])
    assert len({c.task.id for c in won}) == 3
    assert [c.task.claim and c.task.claim.agent for c in won] == ["w1#0", "w1#1", "w1#2"]


@pytest.mark.parametrize(
    "wish",
    [
        {"who": []},
        {"who": [who("a"), who("b")], "count": 2},
        {"who": [who("a"), who("b", "gpu")]},
        {"who": [who("a"), who("b\nc")]},
        {"who": [who("a"), who("b")], "create": Draft(title="x", id="x")},
    ],
)
def test_malformed_seats_are_refused(desk: Desk, wish: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        desk.queue.claim(wish.pop("who"), **wish)


# --- by the holder


def test_renewing_what_is_ours_needs_no_look(desk: Desk, store: Remembering, queue: Queue) -> None:
    desk.add("a")
    token = take(queue, "a").token
    warm(queue, store)
    queue.renew([token])
    assert store.cost == (0, 1)
    queue.renew([token])  # this store forgets its own commits: a conflict, then a look
    assert store.cost == (1, 2)


def test_a_lost_claim_is_told_only_after_a_look(
    desk: Desk, store: Remembering, queue: Queue
) -> None:
    warm(queue, store)
    desk.add("a")
    token = take(desk.other, "a").token
    assert not isinstance(queue.renew([token])[token], Exception)
    desk.other.release(token)
    assert isinstance(queue.renew([token])[token], ClaimLost)


@pytest.mark.parametrize("verb", ["block", "release", "fail", "done"])
def test_ending_a_claim_that_stands_alone_needs_no_look(
    desk: Desk, store: Remembering, queue: Queue, verb: str
) -> None:
    desk.add("a")
    token = take(queue, "a").token
    warm(queue, store)
    getattr(queue, verb)(token, *(["why"] if verb in ("block", "fail") else []))
    assert store.cost == (0, 1)


@pytest.mark.parametrize("fields", [{"needs": ["n"]}, {"gate": "g"}, {}])
def test_a_landing_that_relies_on_more_looks(
    desk: Desk, store: Remembering, queue: Queue, fields: dict[str, Any]
) -> None:
    desk.add("n")
    desk.other.done(take(desk.other, "n").token)
    desk.add("a", **fields)
    if "gate" in fields:
        desk.other.approve("a", actor=ANN)
    token = take(queue, "a").token
    warm(queue, store)
    moves = [] if fields else [Move(Branch("task/a"), None, OID)]
    queue.done(token, moves=moves)
    assert store.cost == (1, 1)


def test_renewals_that_ride_along_ask_nobody(desk: Desk, store: Remembering, queue: Queue) -> None:
    desk.add("a")
    desk.add("b")
    tokens = [take(queue, id).token for id in ("a", "b")]
    assert queue.renewals(tokens) == {}  # not seen yet
    warm(queue, store)
    desk.clock.advance(30)
    proposed = queue.renewals(tokens)
    assert (list(proposed), store.cost) == (tokens, (0, 0))
    assert all(change.heartbeat for change in proposed.values())
    desk.other.cancel("b", None, actor=ANN)
    outcomes = desk.memory.commit(list(proposed.values()))
    assert [renewed(outcome) for outcome in outcomes] == [True, False]
    assert isinstance(outcomes[0], Committed)
    claim = desk.queue.get("a").claim
    assert claim is not None
    assert claim.renewed_at == "2026-01-01T00:00:30Z"


# --- a backlog


class Shelved(Remembering):
    """Shows tasks as parked until somebody tidies; then so many of them are live."""

    def __init__(self, desk: Desk, *, staged: int) -> None:
        super().__init__(desk)
        self.staged = staged
        self.live: set[str] = set()
        self.tidied = 0
        self.awaited = 0

    def read(self, prefix: str = "") -> Snapshot:
        shown = super().read(prefix)
        values = {k: r.value for k, r in shown.records.items()}
        self.live |= {k for k, v in values.items() if v.get("status") == "in-progress"}
        live = {k: r for k, r in shown.records.items() if k in self.live}
        self.last = Snapshot(shown.records, live, {}, shown.asked, shown.answered)
        return self.last

    def commit_first(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        awaited, there = are_awaited(alternatives), self.store.read().records
        self.awaited += awaited
        self.firsts += not awaited
        choices: list[Choice] = [Spared()] * len(alternatives)
        for place in range(len(alternatives)):
            key, expected = expectation(alternatives, place)
            if there[key].version != expected or (awaited and key not in self.live):
                choices[place] = Spared("moved")
            elif sum(isinstance(choice, Committed) for choice in choices) < count:
                [choices[place]] = self.commit([alternatives[place]])
        return choices

    def tidy(self, *, force: bool = False) -> Any:
        self.tidied += 1
        waiting = [k for k in self.store.read().records if k not in self.live]
        self.live |= set(waiting[: self.staged])
        return super().tidy(force=force)


@pytest.mark.parametrize("staged", [0, 2])
def test_parked_tasks_are_staged_when_no_live_one_is_ready(desk: Desk, staged: int) -> None:
    for number in range(4):
        desk.add(f"t{number}")
    store = Shelved(desk, staged=staged)
    queue = desk.join(store)
    first = take(queue)
    assert store.tidied == 1
    assert (store.firsts == 1) == (staged > 0)  # what is parked moves the board: no alternatives
    second = take(queue)
    assert store.tidied == (1 if staged else 3)  # before a look, and when that shows no other way
    assert first.task.id != second.task.id


def test_what_others_have_staged_costs_no_look(desk: Desk) -> None:
    """Who waited for the same moment as all others finds in the push what one of them staged."""
    for number in range(6):
        desk.add(f"t{number}", priority=number)
    store = Shelved(desk, staged=2)
    queue = desk.join(store)
    assert take(queue).task.id == "t0"
    desk.other.claim(who("eve"), ids=["t1"])
    store.live |= {"tasks/t2", "tasks/t3"}  # somebody else stages
    assert store.cost[0] > 0
    tidied = store.tidied
    assert take(queue).task.id == "t2"
    assert (store.cost[0], store.tidied) == (0, tidied)


def test_nothing_less_urgent_goes_before_what_needs_a_look(desk: Desk) -> None:
    for number in range(4):
        desk.add(f"t{number}", priority=number, paths=["src/**"] if number == 1 else [])
    store = Shelved(desk, staged=1)
    queue = desk.join(store)
    assert take(queue).task.id == "t0"
    store.live |= {"tasks/t1", "tasks/t2"}
    assert store.cost[0] > 0
    assert take(queue).task.id == "t1"
    assert (store.awaited, store.cost[0] > 0) == (0, True)


def test_who_finds_nothing_staged_does_it_before_a_look(desk: Desk) -> None:
    for number in range(6):
        desk.add(f"t{number}", priority=number)
    store = Shelved(desk, staged=2)
    queue = desk.join(store)
    assert take(queue).task.id == "t0"
    desk.other.claim(who("eve"), ids=["t1"])
    assert store.cost[0] > 0
    tidied, store.awaited = store.tidied, 0
    assert take(queue).task.id == "t2"
    assert (store.cost[0], store.tidied, store.awaited) == (0, tidied + 1, 2)


def test_parked_tasks_that_are_not_ready_disturb_nobody(desk: Desk) -> None:
    desk.add("a", requires=["gpu"])
    store = Shelved(desk, staged=1)
    with pytest.raises(NothingToClaim, match="1 open, none is ready"):
        take(desk.join(store))
    assert (store.tidied, store.cost) == (0, (1, 0))


def test_a_parked_task_is_claimed_by_its_name(desk: Desk) -> None:
    desk.add("a")
    store = Shelved(desk, staged=1)
    assert take(desk.join(store), "a").task.id == TaskId("a")
    assert store.tidied == 0
