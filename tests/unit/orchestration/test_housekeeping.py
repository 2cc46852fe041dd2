"""What is done after each look: settled where there is something, told once, rules read again."""

from __future__ import annotations

import pytest

from gitbaton.core.errors import HostRefused, RemoteUnreachable
from gitbaton.orchestration.housekeeping import Housekeeping
from gitbaton.orchestration.look import Look
from gitbaton.plans.health.alarms import Alarms, News
from gitbaton.plans.health.rules import Limits
from gitbaton.store.memory import MemoryStore
from tests.unit.orchestration.stage import Show, Stage
from tests.unit.plans.plantext import phase


class House:
    """A housekeeping whose every call is counted."""

    def __init__(self, stage: Stage) -> None:
        self.news: list[News] = []
        self.settled = self.renewed = 0
        self.trouble: Exception | None = None
        clock = stage.desk.clock
        local = MemoryStore(clock=clock)
        self.keep = Housekeeping(
            shared=Alarms(local, clock, "fleet"),
            own=Alarms(local, clock, "plan/p"),
            limits=Limits(),
            clock=clock,
            settle=self.settle,
            renew_protection=self.renew,
            raise_alarm=self.news.append,
        )

    def settle(self) -> list[str]:
        self.settled += 1
        if self.trouble is not None:
            raise self.trouble
        return ["p.a is done: it was merged"]

    def renew(self) -> None:
        self.renewed += 1

    def run(self, look: Look) -> list[str]:
        return list(self.keep(look))


@pytest.fixture
def stage() -> Stage:
    return Stage(lease=60.0)


def begun(stage: Stage, *lines: str) -> Show:
    show = stage.show(phase("a", *lines))
    show.start()
    return show


def test_nothing_is_settled_while_nothing_can_be(stage: Stage) -> None:
    house, show = House(stage), begun(stage)
    assert (house.run(show.step()), house.settled) == ([], 0)
    claimed = stage.claim("a")
    assert claimed is not None
    stage.other.done(claimed.token, review=True)
    assert (house.run(show.step()), house.settled) == (["p.a is done: it was merged"], 1)


def test_a_trouble_is_told_and_the_rest_is_done(stage: Stage) -> None:
    house, show = House(stage), begun(stage)
    claimed = stage.claim("a")
    assert claimed is not None
    stage.other.done(claimed.token, review=True)
    house.trouble = HostRefused("a hook said no")
    stage.desk.clock.advance(301.0)
    assert house.run(show.step()) == ["the git host refused: a hook said no"]
    assert house.renewed == 1
    house.trouble = RemoteUnreachable("away")
    with pytest.raises(RemoteUnreachable):
        house.run(show.step())


def test_the_rules_are_read_again_now_and_then(stage: Stage) -> None:
    house, show = House(stage), begun(stage)
    for _ in range(5):
        stage.desk.clock.advance(100.0)
        house.run(show.step())
    assert house.renewed == 1


def test_a_phase_that_nobody_could_take_and_a_closed_gate_are_told_once(stage: Stage) -> None:
    house, show = House(stage), begun(stage, 'requires = ["gpu"]', 'gate = "g"')
    for _ in range(3):
        house.run(show.step())  # nobody is registered: anybody may come
    assert [(news.kind, news.over) for news in house.news] == [("gate", False)]
    house.news.clear()
    stage.enlist("w1")
    for _ in range(3):
        house.run(show.step())
    assert [(news.kind, news.over) for news in house.news] == [("no-worker", False)]
    stage.enlist("w2", capabilities=("gpu",))
    house.run(show.step())
    assert [(news.kind, news.over) for news in house.news] == [
        ("no-worker", False),
        ("no-worker", True),
    ]
