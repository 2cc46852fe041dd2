"""Commits of many threads in one push: who waits for whom, and what becomes of the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import InvalidInput, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.store.calls import Rider
from gitbaton.store.grouping import GroupingStore
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import (
    ABSENT,
    Absent,
    Actor,
    Branch,
    Choice,
    Committed,
    Conflict,
    Key,
    Move,
    Outcome,
    Spared,
    Target,
    Transaction,
    Unknown,
    Value,
    Version,
    make_key,
)

PATIENCE = 30.0  # seconds; only a hanging test needs them
ACTOR = Actor("laptop-C/w1")
OID = Oid("1" * 40)


class AnyMover:
    """Moves whatever it is told to."""

    def move(self, moves: Sequence[Move]) -> Mapping[Target, Oid | None]:
        return {}


class Inner(MemoryStore):
    """A store in memory whose commits are watched, and may be made to wait or to fail."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock=clock, mover=AnyMover())
        self.batches: list[list[str]] = []
        self.first: list[tuple[int, int]] = []  # alternatives, how many wanted
        self.act: Callable[[], None] = lambda: None
        self.entered = threading.Semaphore(0)

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        self.batches.append([tx.subject for tx in transactions])
        act, self.act = self.act, lambda: None
        self.entered.release()
        act()
        return super().commit(transactions)

    def commit_first(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        self.first.append((len(alternatives), count))
        return super().commit_first(alternatives, count)


class Desk:
    """A grouping store with records, and threads that commit through it."""

    def __init__(self, threads: ThreadPoolExecutor, *names: str) -> None:
        self.clock = ManualClock()
        self.inner = Inner(self.clock)
        self.riders: list[Rider] = []
        self.window: Callable[[int, float], float] = lambda waiting, waited: 0.0
        self.store = GroupingStore(
            self.inner,
            clock=self.clock,
            window=lambda waiting, waited: self.window(waiting, waited),
            riders=lambda: self.riders,
        )
        self.threads = threads
        made = self.inner.commit([change(name, ABSENT) for name in names])
        self.at: dict[str, Version] = {}
        for name, outcome in zip(names, made, strict=True):
            assert isinstance(outcome, Committed)
            self.at[name] = outcome.versions[key(name)]
        self.inner.batches.clear()
        self.inner.entered = threading.Semaphore(0)

    def renewal(self, name: str) -> Transaction:
        return change(name, self.at[name], f"renew {name}", heartbeat=True)

    def end(self, name: str, *, land: bool = False) -> Transaction:
        moves = (Move(Branch(name), None, OID),) if land else ()
        return change(name, self.at[name], f"end {name}", *moves)

    def start(self, *transactions: Transaction) -> Future[list[Outcome]]:
        """Commit in a thread of its own."""
        return self.threads.submit(self.store.commit, transactions)

    def blocked(self) -> threading.Event:
        """Let the next commit of the inner store wait for the event that is returned."""
        event = threading.Event()
        self.inner.act = lambda: wait(event)
        return event

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until ``condition`` of the store holds: it is asked again at every change."""
        with self.store._changed:
            assert self.store._changed.wait_for(condition, PATIENCE)

    def until_entered(self) -> None:
        """Wait until the inner store is in a commit."""
        assert self.inner.entered.acquire(timeout=PATIENCE)


@pytest.fixture
def desk() -> Any:
    """A desk with five records."""
    with ThreadPoolExecutor(16) as threads:
        yield Desk(threads, "t1", "t2", "t3", "t4", "t5")


def key(name: str) -> Key:
    return make_key("tasks", name)


def change(
    name: str,
    expected: Version | Absent,
    subject: str = "test: change",
    *moves: Move,
    heartbeat: bool = False,
    value: Value | None = None,
) -> Transaction:
    return Transaction(
        expect={key(name): expected},
        write={key(name): {"by": subject} if value is None else value},
        moves=moves,
        subject=subject,
        actor=ACTOR,
        heartbeat=heartbeat,
    )


def wait(event: threading.Event) -> None:
    assert event.wait(PATIENCE)


def result(future: Future[list[Outcome]]) -> Outcome:
    (outcome,) = future.result(PATIENCE)
    return outcome


def test_what_comes_during_a_push_goes_together_in_the_next(desk: Desk) -> None:
    go = desk.blocked()
    first = desk.start(desk.end("t1"))
    desk.until_entered()
    others = [desk.start(desk.end(name)) for name in ("t2", "t3", "t4")]
    desk.until(lambda: len(desk.store._hot.waiting) == 3)
    go.set()
    assert all(isinstance(result(f), Committed) for f in (first, *others))
    assert [sorted(batch) for batch in desk.inner.batches] == [
        ["end t1"],
        ["end t2", "end t3", "end t4"],
    ]


def test_a_single_record_never_waits_behind_a_landing(desk: Desk) -> None:
    go = desk.blocked()
    landing = desk.start(desk.end("t1", land=True))
    desk.until_entered()
    assert isinstance(result(desk.start(desk.end("t2"))), Committed)
    assert not landing.done()
    go.set()
    assert isinstance(result(landing), Committed)


def test_landings_wait_for_company_as_long_as_the_window_says(desk: Desk) -> None:
    desk.window = lambda waiting, waited: 0.0 if waiting == 3 else 10.0 - waited
    landings = [desk.start(desk.end(name, land=True)) for name in ("t1", "t2", "t3")]
    assert all(isinstance(result(f), Committed) for f in landings)
    assert [sorted(batch) for batch in desk.inner.batches] == [["end t1", "end t2", "end t3"]]


def test_the_window_closes_by_itself_however_few_came(desk: Desk) -> None:
    desk.window = lambda waiting, waited: 10.0 - waited
    landing = desk.start(desk.end("t1", land=True))
    desk.until(lambda: desk.store._landing.led)
    desk.clock.advance(9.0)
    assert not landing.done()
    desk.clock.advance(1.0)
    assert isinstance(result(landing), Committed)


def test_a_landing_on_a_branch_that_others_move_too_does_not_wait(desk: Desk) -> None:
    desk.window = lambda waiting, waited: 10.0
    alone = desk.start(desk.end("t1", land=True))
    desk.until(lambda: desk.store._landing.led)
    move = Move(Branch("main"), OID, Oid("2" * 40))
    merge = desk.start(change("t2", desk.at["t2"], "merge t2", move))
    assert isinstance(result(merge), Committed)
    assert isinstance(result(alone), Committed)
    assert [sorted(batch) for batch in desk.inner.batches] == [["end t1", "merge t2"]]


def test_each_of_a_batch_has_its_own_outcome(desk: Desk) -> None:
    """I1: who lost is told so, and nobody else."""
    go = desk.blocked()
    first = desk.start(desk.end("t1"))
    desk.until_entered()
    stale = desk.start(desk.end("t1"))
    good = desk.start(desk.end("t2"))
    desk.until(lambda: len(desk.store._hot.waiting) == 2)
    go.set()
    assert isinstance(result(first), Committed)
    assert isinstance(result(stale), Conflict)
    assert isinstance(result(good), Committed)


def test_an_error_reaches_exactly_those_who_waited_on_it(desk: Desk) -> None:
    def fail() -> None:
        raise RemoteUnreachable("gone")

    go = desk.blocked()
    first = desk.start(desk.end("t1"))
    desk.until_entered()
    both = [desk.start(desk.end(name)) for name in ("t2", "t3")]
    desk.until(lambda: len(desk.store._hot.waiting) == 2)
    desk.inner.act = fail
    go.set()
    assert isinstance(result(first), Committed)
    for future in both:
        with pytest.raises(RemoteUnreachable, match="gone"):
            future.result(PATIENCE)
    assert isinstance(result(desk.start(desk.end("t4"))), Committed)


def test_a_leader_that_dies_leaves_nobody_waiting(desk: Desk) -> None:
    """I4: what it carried may have been sent; who came later is led by another."""

    class Died(BaseException):
        pass

    proceed = threading.Event()

    def die() -> None:
        wait(proceed)
        raise Died

    go = desk.blocked()
    first = desk.start(desk.end("t1"))
    desk.until_entered()
    batch = [desk.start(desk.end(name)) for name in ("t2", "t3")]
    desk.until(lambda: len(desk.store._hot.waiting) == 2)
    desk.inner.act = die
    go.set()
    assert isinstance(result(first), Committed)
    desk.until_entered()
    later = desk.start(desk.end("t4"))
    desk.until(lambda: len(desk.store._hot.waiting) == 1)
    proceed.set()
    assert isinstance(result(later), Committed)
    died = [isinstance(f.exception(PATIENCE), Died) for f in batch]
    assert sorted(died) == [False, True], "the one that led"
    assert isinstance(result(batch[died.index(False)]), Unknown)


def test_a_leader_that_dies_while_it_waits_takes_nobody_along(desk: Desk) -> None:
    """I4: nothing was sent yet; the next one leads."""

    class Died(BaseException):
        pass

    proceed = threading.Event()

    def die_once(waiting: int, waited: float) -> float:
        if not proceed.is_set():
            return 1.0
        desk.window = lambda waiting, waited: 0.0
        raise Died

    desk.window = die_once
    first = desk.start(desk.end("t1", land=True))
    desk.until(lambda: desk.store._landing.led)
    second = desk.start(desk.end("t2", land=True))
    desk.until(lambda: len(desk.store._landing.waiting) == 2)
    proceed.set()
    assert isinstance(result(second), Committed)
    assert isinstance(first.exception(PATIENCE), Died)
    assert desk.inner.batches == [["end t2"]]


def test_what_cannot_be_written_is_refused_before_it_joins_others(desk: Desk) -> None:
    bad = change("t1", desk.at["t1"], value={"n": float("nan")})
    with pytest.raises(InvalidInput):
        desk.store.commit([bad])
    assert desk.inner.batches == []


def test_a_renewal_waits_for_the_landing_of_its_own_task(desk: Desk) -> None:
    """I1, I2: it cannot take the version away from a landing that waits for company."""
    open_ = threading.Event()
    desk.window = lambda waiting, waited: 0.0 if open_.is_set() else 1.0
    landing = desk.start(desk.end("t1", land=True))
    desk.until(lambda: desk.store._landing.led)
    beats = desk.threads.submit(
        desk.store.commit, [desk.renewal("t1"), desk.renewal("t2"), desk.renewal("t3")]
    )
    desk.until_entered()
    assert desk.inner.batches == [["renew t2", "renew t3"]], "the others were renewed at once"
    assert not beats.done()
    open_.set()
    assert isinstance(result(landing), Committed)
    late, *rest = beats.result(PATIENCE)
    assert isinstance(late, Conflict)
    landed = late.found[key("t1")]
    assert landed is not ABSENT
    present = desk.inner.read().records[key("t1")]
    assert (landed.version, landed.value) == (present.version, present.value)
    assert all(isinstance(outcome, Committed) for outcome in rest)
    assert desk.inner.batches[1:] == [["end t1"]], "what is known to be lost is not sent"


def test_a_renewal_is_sent_when_what_it_waited_for_did_not_happen(desk: Desk) -> None:
    go = threading.Event()

    def fail() -> None:
        wait(go)
        raise RemoteUnreachable("gone")

    desk.inner.act = fail
    landing = desk.start(desk.end("t1", land=True))
    desk.until_entered()
    beat = desk.start(desk.renewal("t1"))
    go.set()
    assert isinstance(result(beat), Committed)
    assert isinstance(landing.exception(PATIENCE), RemoteUnreachable)


def test_a_landing_that_hangs_does_not_keep_claims_from_being_renewed(desk: Desk) -> None:
    """I1: a slow hook may take longer than a lease; other claims are renewed by the same thread."""
    go = desk.blocked()
    landing = desk.start(desk.end("t1", land=True))
    desk.until_entered()
    beats = desk.threads.submit(desk.store.commit, [desk.renewal("t1"), desk.renewal("t2")])
    desk.until_entered()
    assert not beats.done()
    desk.clock.advance(3.0)
    assert all(isinstance(outcome, Committed) for outcome in beats.result(PATIENCE))
    assert desk.inner.batches == [["end t1"], ["renew t2"], ["renew t1"]]
    go.set()
    assert isinstance(result(landing), Conflict), "the landing is tried again on the renewed claim"


def test_renewals_never_wait_behind_what_others_push(desk: Desk) -> None:
    """I1: a claim whose connection has died hangs for minutes; no lease shall end by that."""
    go = desk.blocked()
    end = desk.start(desk.end("t1"))
    desk.until_entered()
    assert isinstance(result(desk.start(desk.renewal("t2"))), Committed)
    assert not end.done()
    go.set()
    assert isinstance(result(end), Committed)


def test_riders_go_along_unless_their_record_is_being_changed(desk: Desk) -> None:
    told: dict[str, Outcome] = {}
    desk.riders = [
        Rider(desk.renewal(name), partial(told.__setitem__, name)) for name in ("t1", "t2", "t3")
    ]
    open_ = threading.Event()
    desk.window = lambda waiting, waited: 0.0 if open_.is_set() else 1.0
    landing = desk.start(desk.end("t3", land=True))
    desk.until(lambda: desk.store._landing.led)
    assert isinstance(result(desk.start(desk.end("t1"))), Committed)
    assert desk.inner.batches == [["end t1", "renew t2"]]
    assert isinstance(told.pop("t2"), Committed)
    assert told == {}
    open_.set()
    assert isinstance(result(landing), Committed)
    assert desk.inner.batches[1] == ["end t3"], "a landing takes nobody along"


@pytest.mark.parametrize("error", [RemoteUnreachable("gone"), OSError(24, "Too many open files")])
def test_riders_that_fail_cost_the_others_nothing(desk: Desk, error: Exception) -> None:
    """I4: what was never sent is not told to be unknown."""

    def fail() -> Sequence[Rider]:
        raise error

    store = GroupingStore(desk.inner, clock=desk.clock, riders=fail)
    assert isinstance(store.commit([desk.end("t1")])[0], Committed)


def test_alternatives_alone_are_left_to_the_engine(desk: Desk) -> None:
    choices = desk.store.commit_first([desk.end("t1"), desk.end("t2")], 1)
    assert isinstance(choices[0], Committed)
    assert choices[1] == Spared()
    assert desk.inner.first == [(2, 1)]


def test_alternatives_in_company_are_the_first_ones(desk: Desk) -> None:
    told: list[Outcome] = []
    desk.riders = [Rider(desk.renewal("t5"), told.append)]
    choices = desk.store.commit_first([desk.end("t1"), desk.end("t2"), desk.end("t3")], 2)
    assert [type(choice) for choice in choices] == [Committed, Committed, Spared]
    assert desk.inner.first == []
    assert isinstance(told[0], Committed)


def test_two_choices_never_share_a_push(desk: Desk) -> None:
    """They would choose the same; the second sees what the first has left."""
    go = desk.blocked()
    first = desk.start(desk.end("t5"))
    desk.until_entered()
    alternatives = [desk.end("t1"), desk.end("t2")]
    both = [desk.threads.submit(desk.store.commit_first, alternatives, 1) for _ in range(2)]
    desk.until(lambda: len(desk.store._hot.waiting) == 2)
    go.set()
    assert isinstance(result(first), Committed)
    won = [c for f in both for c in f.result(PATIENCE) if isinstance(c, Committed)]
    assert len(won) == 2
    assert desk.inner.first == [(2, 1), (2, 1)]


def test_new_records_pass_straight_through(desk: Desk) -> None:
    [outcome] = desk.store.commit([change("new", ABSENT)])
    assert isinstance(outcome, Committed)
    assert desk.store.commit([]) == []
