"""What people hear of from a worker: each thing once, and once more when it is over."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitbaton.core.errors import RemoteUnreachable
from gitbaton.plans.health.activity import Agent
from gitbaton.plans.health.alarms import Alarms, News
from gitbaton.plans.health.rules import Limits
from gitbaton.plans.registry.record import WorkerRecord
from gitbaton.plans.registry.registry import Registry
from gitbaton.plans.registry.watching import Watch
from gitbaton.serving.lookout import Lookout, Mailbag
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import Actor
from gitbaton.work.events import Teller
from tests.unit.serving.station import NAME, Station
from tests.unit.tasks.desk import who


class Tower:
    """A lookout over a station, with two logs for what a clone keeps."""

    def __init__(self, station: Station, local: MemoryStore, agents: list[Agent]) -> None:
        clock, desk = station.clock, station.desk
        self.station = station
        self.news: list[News] = []
        self.registry = Registry(desk.store, clock, Watch(local, clock, "remote"), Actor("ann"))
        self.lookout = Lookout(
            desk.queue,
            self.registry,
            shared=Alarms(local, clock, "fleet"),
            own=Alarms(local, clock, f"worker/{NAME}"),
            limits=Limits(message_age=600.0, stall=900.0),
            agents=lambda: agents,
            mailbag=Mailbag(station.inbox, NAME, {""}, clock),
            raise_alarm=self.news.append,
            clock=clock,
            tell=Teller(station.events.append, clock),
        )

    def watch(self, minutes: int) -> list[tuple[str, bool]]:
        """Let so many minutes pass; return what was told meanwhile."""
        told = len(self.news)
        for _ in range(minutes * 2):
            self.station.clock.advance(30.0)
            self.lookout.attend(self.station.floor)
        return [(news.kind, news.over) for news in self.news[told:]]


@pytest.fixture
def local() -> MemoryStore:
    return MemoryStore(clock=Station().clock)


def test_a_stalled_agent_and_a_message_that_nobody_answers(
    local: MemoryStore, tmp_path: Path
) -> None:
    station, agents = Station(), [Agent("t", 1, tmp_path / "log", tmp_path)]
    tower = Tower(station, local, agents)
    elsewhere = station.send("for somebody else", id="x")
    assert tower.watch(9) == []
    assert tower.watch(3) == [("message-pending", False)]
    assert tower.watch(10) == [("agent-stalled", False)]
    assert tower.watch(10) == [], "once each"
    station.inbox.respond(elsewhere, "done", by="ann")
    (tmp_path / "news").touch()
    assert sorted(tower.watch(2)) == [("agent-stalled", True), ("message-pending", True)]


def test_workers_that_are_gone_and_gates_are_told_across_restarts(local: MemoryStore) -> None:
    station = Station()
    tower = Tower(station, local, [])
    tower.registry.announce(WorkerRecord(name="w9", machine="m", interval=60.0))
    station.desk.add("done")
    [claimed] = station.desk.queue.claim(who("eve"))
    station.desk.queue.done(claimed.token)
    station.desk.add("shut", needs=("done",), gate="go")
    station.desk.add("later", needs=("shut",), gate="go")
    assert tower.watch(2) == [("gate", False)], "what waits for a need waits for no person yet"
    assert tower.watch(5) == [("worker-gone", False)]
    again = Tower(station, local, [])
    assert again.watch(5) == [], "another process of this clone tells nothing twice"
    again.registry.announce(WorkerRecord(name="w9", machine="m", interval=60.0))
    assert again.watch(2) == [("worker-gone", True)]


def test_what_could_not_be_looked_at_is_not_over(local: MemoryStore) -> None:
    station = Station()
    tower = Tower(station, local, [])
    station.desk.add("shut", gate="go")
    assert tower.watch(2) == [("gate", False)]

    def away() -> None:
        station.desk.store.after_read = away
        raise RemoteUnreachable("the line is down")

    station.desk.store.after_read = away
    assert tower.watch(5) == []
    assert [event.text for event in station.events] == ["health: the line is down"]
    station.desk.store.after_read = None
    assert tower.watch(5) == []
