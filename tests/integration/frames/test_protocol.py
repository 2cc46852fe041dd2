"""Frames, one hazard at a time: what a worker and a primary leave behind, and who goes on."""

from __future__ import annotations

import pytest

from gitbaton.core.errors import RemoteUnreachable
from tests.integration.chaos.seeds import generator
from tests.integration.frames.conftest import House
from tests.integration.frames.players import LEASE, Player, judge
from tests.integration.frames.switchboard import Crash, Line


def settle(house: House, player: Player, frames: int) -> None:
    """Let ``player`` and time go on until the world is ``frames`` further."""
    until = player.step().scene.number + frames
    for _ in range(200):
        player.turn()
        if player.view is not None and player.view.scene.number >= until:
            return
        house.advance(LEASE / 6)
    raise AssertionError("the world stands still")


def test_two_workers_advance_the_world(house: House) -> None:
    """I7: each op counts once, and every merge can be made again."""
    one, two = house.enter("one"), house.enter("two")
    for _ in range(6):
        for player in (one, two):
            player.turn()
    assert judge(house.repository, one.remote) >= 3
    assert one.attendant.leads and not two.attendant.leads


class Once:
    """Strikes at call number ``at`` of a line, once."""

    def __init__(self, at: int, fate: str) -> None:
        self.at, self.fate, self.calls, self.struck = at, fate, 0, False

    def __call__(self, call: str) -> str | None:
        self.calls += 1
        if self.calls - 1 != self.at or (call == "list" and self.fate in ("torn", "delayed")):
            return None
        self.struck = True
        return self.fate


def play_with(house: House, hazard: Once) -> None:
    """Two workers, three frames; the first one has the hazard and starts again after a crash."""
    house.open()
    one, two = house.enter("one", hazard), house.enter("two")
    for _ in range(9):
        for player in (one, two):
            try:
                player.turn()
            except Crash:
                player.start()
            except RemoteUnreachable:
                pass
        house.advance(2.0)
    hazard.at = -1  # it does not strike any more
    for player in (one, two):
        player.remote.close()  # what was delayed arrives
    settle(house, two, 2)
    settle(house, one, 2)
    judge(house.repository, Line(house.board), house.board.taken)


FATES = ("before", "after", "lost", "cut", "torn", "delayed")
CASES = [(at, fate) for at in range(18) for fate in FATES]


@pytest.mark.parametrize("number", range(3))
def test_a_hazard_at_any_remote_call_loses_and_repeats_nothing(house: House, number: int) -> None:
    """I4, I7: killed before and after calls, answers lost, servers killed, pushes that come late.

    Other cases in each run; all of them in the soak.
    """
    for at, fate in generator(number).sample(CASES, 2):
        print(at, fate)
        play_with(house, Once(at, fate))


@pytest.mark.soak
@pytest.mark.parametrize(("at", "fate"), CASES)
def test_every_hazard_at_every_remote_call(house: House, at: int, fate: str) -> None:
    """I4, I7: the same, each of them."""
    play_with(house, Once(at, fate))
