"""What the rounds make of a look: who is missing, who leads, and when the next look is due."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gitbaton.frames import rounds
from gitbaton.frames.refs import FrameRefs, Pair
from gitbaton.frames.rounds import Rounds
from tests.integration.frames.conftest import House
from tests.integration.frames.players import Player
from tests.integration.frames.test_protocol import settle


class Paces:
    """Takes the place of ``pause`` and ``retry``, and keeps what they were asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[float, bool]] = []
        self.failures: list[int] = []
        monkeypatch.setattr(rounds, "pause", self.pause)
        monkeypatch.setattr(rounds, "retry", self.retry)

    def pause(self, elapsed: float, *, missing: float, leads: bool, **more: Any) -> float:
        self.asked.append((missing, leads))
        return 0.0

    def retry(self, failures: int, *, rng: random.Random) -> float:
        self.failures.append(failures)
        return 0.0

    def after(self, player: Player) -> tuple[float, bool] | None:
        """Let ``player`` take one step of its rounds; return what was asked then."""
        self.asked.clear()
        Rounds(player.attendant, player.news.append, random.Random(0)).run(until=lambda view: True)
        return self.asked[-1] if self.asked else None


def test_a_frame_near_its_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only deltas of this frame count, and only of those that have agents in it."""
    one, two, paces = house.enter("one"), house.enter("two"), Paces(monkeypatch)
    assert paces.after(two) == (1.0, True), "nobody has agents yet: nothing is near its end"
    settle(house, two, 2)
    one.step()
    for _ in range(20):
        view = two.step()
        fresh = all(pair.frame != view.scene.number for pair in view.sight.deltas)
        if fresh and view.scene.engaged == {"one", "two"}:
            break
        two.play()
        one.turn()
        two.step()
        house.advance(1.0)
    number = two.step().scene.number
    earlier = FrameRefs().delta(Pair(number - 1, "two"))
    house.board.refs[earlier] = house.board.refs[FrameRefs().world]
    assert paces.after(one) == (1.0, False)
    del house.board.refs[earlier]
    assert paces.after(two) == (1.0, True)
    one.step()
    one.play()
    assert paces.after(two) == (0.5, True)
    two.play()
    assert paces.after(one) == (0.0, False)
    assert paces.after(two) is None, "it was published: the next step is taken at once"


def test_failures_are_counted_and_told_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    one, paces = house.enter("one"), Paces(monkeypatch)
    settle(house, one, 2)
    struck: list[str] = []

    def cut(call: str) -> str | None:
        struck.append(call)
        return "cut" if len(struck) <= 3 else None

    one.attendant.stage.remote.hazard = cut  # type: ignore[attr-defined]
    told = len(one.news)
    walk = Rounds(one.attendant, one.news.append, random.Random(0))
    walk.run(until=lambda view: True)
    assert paces.failures[:3] == [1, 2, 3]
    kinds = [news.kind for news in one.news[told:]]
    assert kinds.count("offline") == 1 and kinds.count("online") == 1


def test_who_cannot_publish_merges_ever_more_seldom(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt merges everything anew; the first failure may be a race."""
    one, paces = house.enter("one"), Paces(monkeypatch)
    settle(house, one, 1)
    one.step()
    one.step()  # a frame that nobody plays: there is nothing to publish
    for balked, expected in ((1, []), (2, [1]), (4, [1, 3])):
        one.attendant.balked = balked
        asked = paces.after(one)
        assert paces.failures == expected and (asked is None) is (balked > 1)
