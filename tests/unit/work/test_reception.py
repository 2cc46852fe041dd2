"""A worker and its reception: engaged by id, slots lent out, words that change, an end from it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest

from gitbaton.core.errors import NothingToClaim, Refused
from gitbaton.work.company import Company
from gitbaton.work.reception import Floor
from gitbaton.work.shift import Shift
from gitbaton.work.worker import Worker
from tests.unit.tasks.desk import Desk
from tests.unit.work.test_worker import FakeChores, FakeSlot, finish


class Porter:
    """A reception that does in each turn what a test says; it ends the worker in the last one."""

    def __init__(self, *turns: Callable[[Floor], object]) -> None:
        self.turns = list(turns)
        self.words_now: frozenset[str] | None = frozenset()

    def attend(self, floor: Floor) -> None:
        if self.turns:
            self.turns.pop(0)(floor)

    def words(self) -> frozenset[str] | None:
        return self.words_now


class House:
    """A worker of two slots with a porter, over a queue in memory."""

    def __init__(self, *turns: Callable[[Floor], object]) -> None:
        self.desk = Desk()
        self.porter = Porter(*turns, lambda floor: self.worker.drain())
        self.slot = FakeSlot(self.desk.queue, finish)
        self.worker = Worker(
            self.desk.queue,
            Shift(name="w", machine="m", lease=900.0, jobs=2),
            self.slot,
            FakeChores(self.desk.clock.elapsed),
            company=Company(8.0, scarce=lambda: False),
            clock=self.desk.clock,
            rng=random.Random(0),
            listener=lambda event: None,
            reception=self.porter,
        )


def test_it_is_engaged_for_a_task_by_id() -> None:
    house = House(lambda floor: floor.engage("called"))
    house.porter.words_now = None  # and pulls nothing
    house.desk.add("first", priority=0)
    house.desk.add("called")
    assert house.worker.run() == 0
    assert house.slot.worked == [("called", 1)]


def test_a_task_that_is_not_to_be_had_takes_no_slot() -> None:
    def engage(floor: Floor) -> None:
        with pytest.raises(NothingToClaim):
            floor.engage("later")
        assert (floor.free, floor.at_work) == (2, ())

    house = House(engage)
    house.desk.add("need", requires=("tpu",))
    house.desk.add("later", needs=("need",))
    assert house.worker.run() == 0


def test_a_lent_slot_is_no_slot_for_tasks_and_counts_as_nothing() -> None:
    over = threading.Event()
    numbers: list[int] = []

    def errand(number: int) -> None:
        numbers.append(number)
        assert over.wait(30)

    def lend(floor: Floor) -> None:
        floor.lend("message-1", errand)
        floor.lend("message-2", errand)
        assert (floor.free, floor.at_work) == (0, ("message-1", "message-2"))

    def look(floor: Floor) -> None:
        assert (floor.free, house.slot.worked) == (0, []), "no slot was left to pull with"
        over.set()

    house = House(lend, look)
    house.desk.add("t")
    assert house.worker.run() == 0
    assert sorted(numbers) == [1, 2]


def test_it_claims_with_the_words_of_now() -> None:
    def learn(floor: Floor) -> None:
        assert house.slot.worked == []
        house.porter.words_now = frozenset({"gpu"})
        house.desk.clock.advance(60.0)

    house = House(lambda floor: None, learn, lambda floor: None)
    house.desk.add("t", requires=("gpu",))
    assert house.worker.run() == 0
    assert house.slot.worked == [("t", 1)]


def test_an_error_of_its_reception_ends_it_when_the_slots_are_free() -> None:
    def end(floor: Floor) -> None:
        raise Refused("another serves under this name", code="replaced")

    house = House(lambda floor: floor.engage("t"), end)
    house.desk.add("t")
    house.desk.add("never", requires=("gpu",))
    with pytest.raises(Refused, match="another serves"):
        house.worker.run()
    assert house.slot.worked == [("t", 1)]
