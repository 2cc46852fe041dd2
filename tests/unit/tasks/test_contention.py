"""Contention: what many claimants make of losing, and that priority stays strict."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.store.model import Choice, Committed, Snapshot, Transaction
from gitbaton.tasks.contention import FRESH, Contention
from gitbaton.tasks.drafts import Draft
from gitbaton.tasks.model import Task
from gitbaton.tasks.offers import make_offer, spread
from gitbaton.tasks.reservations import Locks, read_locks
from tests.unit.tasks.desk import ANN, Desk, Meddler, claimed, task, view_of, who

CLAIMERS = 8
TASKS = 120


def test_who_has_not_lost_takes_the_first_and_trusts_what_it_saw() -> None:
    contention = Contention(ManualClock())
    assert (contention.window, contention.freshness) == (0, FRESH)


def test_each_loss_widens_the_choice_and_shortens_trust() -> None:
    contention = Contention(ManualClock())
    seen = []
    for _ in range(8):
        contention.lose()
        seen.append((contention.window, contention.freshness))
    assert [window for window, _ in seen[:3]] == [32, 64, 128]
    assert seen[0][1] == FRESH / 4
    assert seen[-1] == seen[-2] == (128, FRESH / 1024)  # there is an end to it


def test_losses_are_forgotten_with_time() -> None:
    clock = ManualClock()
    contention = Contention(clock)
    for _ in range(4):
        contention.lose()
    clock.advance(15)
    assert contention.level == 2.0
    clock.advance(60)
    assert (contention.window, round(contention.freshness)) == (0, 17)


def test_age_gives_way_and_priority_does_not() -> None:
    urgent = [task(f"u{n}", priority=0) for n in range(3)]
    later = [task(f"l{n}", priority=1) for n in range(30)]
    firsts = set()
    for number in range(40):
        order = spread([*urgent, *later], who(f"w{number}"), 16, seats=1)
        assert {t.id for t in order[:3]} == {"u0", "u1", "u2"}
        assert order[3:] == later
        firsts.add(order[0].id)
    assert firsts == {"u0", "u1", "u2"}
    assert spread([], who(), 8, seats=1) == []


def test_without_contention_only_what_is_tried_second_is_spread() -> None:
    """All who lose the first task would meet again at the second."""
    tasks = [task(f"t{n}") for n in range(20)]
    orders = [spread(tasks, who(f"w{number}"), 0, seats=2) for number in range(10)]
    assert all(order[:2] == tasks[:2] for order in orders)
    assert len({order[2].id for order in orders}) > 1


LIVE = [f"t{n}" for n in range(30)]


def locks(*tasks: Task) -> Locks:
    return read_locks(view_of(*tasks))


def test_one_seat_is_offered_the_first_few_as_alternatives() -> None:
    many = [task(id) for id in LIVE]
    offer = make_offer(many, locks(), seats=1, alike=True, live=LIVE)
    assert (offer.tasks, offer.either) == (many, True)
    assert make_offer([], locks(), seats=1, alike=True, live=LIVE).tasks == []


@pytest.mark.parametrize("other", [task("t2", paths=("x",)), task("t2", gate="g"), task("parked")])
def test_alternatives_end_before_what_is_not_as_simple(other: Task) -> None:
    offer = make_offer(
        [task("t0"), task("t1"), other, task("t3")], locks(), seats=1, alike=True, live=LIVE
    )
    assert ([t.id for t in offer.tasks], offer.either) == (["t0", "t1"], True)
    alone = make_offer([other, task("t3")], locks(), seats=1, alike=True, live=LIVE)
    assert (alone.tasks, alone.either) == ([other], False)


def test_seats_of_one_claimant_are_offered_alternatives_too() -> None:
    many = [task(id) for id in LIVE]
    offer = make_offer(many, locks(), seats=5, alike=True, live=LIVE)
    assert (offer.tasks, offer.either) == (many, True)
    few = make_offer(many[:3], locks(), seats=5, alike=True, live=LIVE)
    assert (few.tasks, few.either) == (many[:3], True)


def test_several_seats_are_offered_as_many_tasks_one_of_them_with_paths() -> None:
    held = claimed("held", paths=("src/**",))
    tasks = [task("t0", paths=("src/a",)), task("t1", paths=("x",)), task("t2", paths=("y",))]
    tasks += [task("t3"), task("t4")]
    offer = make_offer(tasks, locks(held), seats=3, alike=False, live=LIVE)
    assert ([t.id for t in offer.tasks], offer.either) == (["t1", "t3", "t4"], False)


class Pushing(Meddler):
    """Counts pushes: a commit is one, alternatives are chosen in one. Recalls as the git engine."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.memory)
        self.clock = desk.clock
        self.last: Snapshot | None = None
        self.pushes = 0

    def read(self, prefix: str = "") -> Snapshot:
        self.clock.advance(1e-6)
        self.last = super().read(prefix)
        return self.last

    def recall(self, prefix: str = "") -> Snapshot | None:
        return self.last

    def commit_first(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        self.pushes += 1
        choices = super().commit_first(alternatives, count)
        self.read()  # it has seen the refs in the session
        assert sum(isinstance(choice, Committed) for choice in choices) <= count
        return choices


def test_many_claimers_need_few_pushes() -> None:
    """All decide before any of them pushes, again and again: the most that can get in the way."""
    desk = Desk()
    desk.other.add([Draft(title="x", id=f"t{n}") for n in range(TASKS)], actor=ANN)
    stores = [Pushing(desk) for _ in range(CLAIMERS)]
    queues = [desk.join(store, seed=n) for n, store in enumerate(stores)]
    won: list[str] = []

    def claim(order: Sequence[int]) -> None:
        if not order:
            return
        number = order[0]
        stores[number].before_commit = lambda: claim(order[1:])
        [mine] = queues[number].claim(who(f"w{number}"))
        won.append(mine.task.id)

    rng = random.Random(1)
    while len(won) + CLAIMERS <= TASKS:
        claim(rng.sample(range(CLAIMERS), CLAIMERS))
    assert len(set(won)) == len(won) >= TASKS - CLAIMERS
    assert sum(store.pushes for store in stores) <= 1.2 * len(won)
