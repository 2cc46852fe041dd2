"""A worker's record: what it says while it works, and how it ends."""

from __future__ import annotations

import pytest

from gitbaton.plans.registry.record import State, WorkerRecord
from gitbaton.plans.registry.registry import Registry, Replaced
from gitbaton.plans.registry.watching import Watch
from gitbaton.serving.standing import Standing
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import Actor, Rejected
from gitbaton.work.events import Teller, WorkEvent
from tests.unit.serving.station import NAME, Station

RECORD = WorkerRecord(name=NAME, machine="m", slots=2, interval=30.0)


class Hall:
    def __init__(self) -> None:
        self.station = Station()
        desk, clock = self.station.desk, self.station.clock
        watch = Watch(MemoryStore(clock=clock), clock, "remote")
        self.registry = Registry(desk.store, clock, watch, Actor("ann"))
        self.reason: str | None = None
        self.events: list[WorkEvent] = []
        self.standing = Standing(
            self.registry,
            clock,
            reason=lambda: self.reason,
            load=lambda: 0.5,
            tell=Teller(self.events.append, clock),
        )

    def attend(self, seconds: float = 0.0) -> WorkerRecord:
        """Let time pass and the record be seen to; return it."""
        self.station.clock.advance(seconds)
        self.standing.attend(self.station.floor)
        return self.record

    @property
    def record(self) -> WorkerRecord:
        return self.registry.list().found[NAME].worker


@pytest.fixture
def hall() -> Hall:
    return Hall()


def test_the_record_follows_the_worker(hall: Hall) -> None:
    hall.standing.open(RECORD)
    assert hall.attend().state is State.SERVING
    hall.station.floor.names.append("t")
    seen = hall.attend(30.0)
    assert (seen.busy, seen.load, seen.beat) == (("t",), 0.5, 2)
    hall.reason = "python is 3.11.2; >=3.12 is required"
    seen = hall.attend()
    assert (seen.state, seen.reason) == (State.REFUSING, hall.reason)
    hall.reason, hall.station.floor.draining = None, True
    assert hall.attend().state is State.DRAINING
    hall.standing.close()
    assert (hall.record.state, hall.record.busy) == (State.GONE, ())
    assert hall.standing.riders() == ()
    assert hall.attend(100.0).state is State.GONE, "nothing is said after that"


def test_whoever_was_replaced_says_so_once_and_leaves_the_record_alone(hall: Hall) -> None:
    hall.standing.open(RECORD)
    hall.registry.announce(RECORD)
    hall.station.clock.advance(30.0)
    with pytest.raises(Replaced):
        hall.attend()
    assert hall.attend(30.0).state is State.SERVING
    hall.standing.close()
    assert hall.record.state is State.SERVING


def test_a_beat_that_does_not_get_through_is_told_once(hall: Hall) -> None:
    hall.standing.open(RECORD)
    for _ in range(3):
        hall.station.desk.store.instead = lambda _: [Rejected("read only")]
        hall.attend(30.0)
    assert [event.text for event in hall.events] == [
        "others may take this worker for lost: the git host refused: read only"
    ]
    hall.station.desk.store.instead = None
    assert hall.attend(30.0).beat == 2
    hall.station.desk.store.instead = lambda _: [Rejected("read only")]
    hall.standing.close()
    assert (
        hall.events[-1].text
        == "the others could not be told of the end: the git host refused: read only"
    )
