"""When upkeep may push."""

from __future__ import annotations

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.tasks.budget import PushBudget, count_machines
from gitbaton.work.pacing import Pace
from tests.unit.tasks.desk import claimed, task


@pytest.mark.parametrize(
    ("used", "machines", "room"),
    [(0, 1, True), (2, 1, True), (3, 1, False), (0, 3, True), (1, 3, False), (0, 60, False)],
)
def test_half_of_the_share_of_a_machine_is_for_what_can_wait(
    used: int, machines: int, *, room: bool
) -> None:
    assert PushBudget(6).has_room(used, machines) is room


def test_the_board_is_never_forgotten() -> None:
    clock = ManualClock()
    pace = Pace(PushBudget(6), lambda seconds: 100, clock)
    assert not pace.allows(1)
    clock.advance(300.0)
    assert pace.allows(1)
    pace.done()
    assert not pace.allows(1)


def test_the_last_minute_counts() -> None:
    asked: list[float] = []

    def used(seconds: float) -> int:
        asked.append(seconds)
        return 0

    assert Pace(PushBudget(6), used, ManualClock()).allows(1)
    assert asked == [60.0]


def test_machines_are_those_that_hold_claims_and_this_one() -> None:
    assert count_machines([task("a")], own="here") == 1
    assert count_machines([claimed("a"), claimed("b")], own="here") == 2
