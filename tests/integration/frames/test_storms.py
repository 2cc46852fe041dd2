"""Several workers, any order of steps, any hazard, clocks that run apart: the world holds."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import RemoteUnreachable
from tests.integration.chaos.seeds import generator
from tests.integration.frames.conftest import House
from tests.integration.frames.players import DEADLINE, LEASE, Player, judge
from tests.integration.frames.switchboard import Crash, Line

FATES = ("before", "after", "lost", "cut", "torn", "delayed")


class Weather:
    """Goes wrong with a chance that the test can change."""

    def __init__(self, rng: random.Random, chance: float) -> None:
        self.rng, self.chance = rng, chance

    def __call__(self, call: str) -> str | None:
        if self.rng.random() >= self.chance:
            return None
        fate = self.rng.choice(FATES)
        return None if call == "list" and fate in ("torn", "delayed") else fate


def storm(house: House, rng: random.Random, *, moves: int, atomic: bool) -> int:
    """Play; return the frame that the world came to."""
    house.open(atomic=atomic)
    weather = Weather(rng, rng.choice((0.02, 0.08, 0.2)))
    players = [house.enter(f"w{number}", weather) for number in range(rng.randint(2, 4))]
    for _ in range(moves):
        player = rng.choice(players)
        clock = player.clock
        assert isinstance(clock, ManualClock)
        match rng.randrange(10):
            case 0:
                attempt(player, player.start)
            case 1:  # this one alone: it takes others for dead, and there are two primaries
                for _ in range(8):
                    clock.advance(LEASE / 4)
                    attempt(player, player.step)
            case 2:
                clock.advance(DEADLINE / 2)
            case 3:
                house.advance(rng.uniform(0.0, 5.0))
            case 4:
                attempt(player, player.step)
            case _:
                attempt(player, player.turn)
    weather.chance = 0.0
    for player in players:
        player.remote.close()
    for _ in range(40):  # everybody can work again: late deltas are taken, and the world goes on
        for player in players:
            attempt(player, player.turn)
        house.advance(LEASE / 4)
    number = judge(house.repository, Line(house.board), house.board.taken)
    late = [ref for ref in house.board.refs if "/frames/" in ref and is_stale(ref, number)]
    assert late == [], "a delta was left behind"
    return number


def is_stale(ref: str, number: int) -> bool:
    part = ref.split("/")[3]
    return part.isdigit() and int(part) < number - 1


def attempt(player: Player, act: Callable[[], object]) -> None:
    """Let a process do something; it starts again when it was killed."""
    try:
        act()
    except Crash:
        player.start()
    except RemoteUnreachable:
        pass


@pytest.mark.parametrize("number", range(2))
def test_nothing_is_lost_repeated_or_reordered(house: House, number: int) -> None:
    """I7, I5: two primaries, crashes, lost answers, torn and delayed pushes, deadlines."""
    rng = generator(number)
    assert storm(house, rng, moves=60, atomic=True) > 3


def test_the_same_without_atomic_push(house: House) -> None:
    """I7: the world's compare-and-swap alone decides."""
    assert storm(house, generator(100), moves=60, atomic=False) > 3


@pytest.mark.soak
@pytest.mark.parametrize("number", range(200, 400))
def test_many_storms(house: House, number: int) -> None:
    """I7: long ones."""
    rng = generator(number)
    assert storm(house, rng, moves=250, atomic=rng.random() < 0.8) > 3
