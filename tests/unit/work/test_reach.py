"""A slot waits for a silent remote for a bounded time, and what one slot found out all know."""

from __future__ import annotations

import threading

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import ClaimLost, RemoteUnreachable
from gitbaton.work.reach import Reach

AWAY = RemoteUnreachable("the network is down")
SOON = 60.0  # seconds; only a hanging test needs them all


class Site:
    """A remote that answers, refuses to be reached, or is silent until it is released."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.asked = 0
        self.error: Exception | None = None
        self.silent: threading.Event | None = None
        self.woken = threading.Event()

    def probe(self) -> str:
        self.asked += 1
        if self.silent is not None:
            assert self.silent.wait(SOON)
            self.woken.set()
        if self.error is not None:
            raise self.error
        return "here"

    def reach(self, patience: float = SOON) -> Reach:
        return Reach(self.probe, self.clock, patience=patience)


@pytest.fixture
def site() -> Site:
    return Site()


def test_an_answer_and_an_error_are_passed_on(site: Site) -> None:
    reach = site.reach()
    assert reach.ask(site.probe) == "here"
    site.error = ClaimLost("t", "it is another's")
    with pytest.raises(ClaimLost):
        reach.ask(site.probe)


def test_silence_is_taken_for_being_away(site: Site) -> None:
    site.silent = threading.Event()
    reach = site.reach(patience=0.01)
    with pytest.raises(RemoteUnreachable, match="has not answered"):
        reach.ask(site.probe)
    with pytest.raises(RemoteUnreachable, match="has not answered"):
        reach.require()
    assert site.asked == 1, "nobody waits for it a second time"
    site.silent.set()
    assert site.woken.wait(SOON)


def test_what_was_heard_lately_is_not_asked_again(site: Site) -> None:
    reach = site.reach()
    reach.ask(site.probe)
    site.clock.advance(29.0)
    reach.require()
    assert site.asked == 1
    site.clock.advance(2.0)
    reach.require()
    assert site.asked == 2


def test_after_a_failure_it_is_asked_again_later(site: Site) -> None:
    reach = site.reach()
    site.error = AWAY
    with pytest.raises(RemoteUnreachable):
        reach.require()
    for seconds, asked in ((0.0, 1), (14.0, 1), (2.0, 2)):
        site.clock.advance(seconds)
        with pytest.raises(RemoteUnreachable, match="the network is down"):
            reach.require()
        assert site.asked == asked
    site.clock.advance(16.0)
    site.error = None
    reach.require()
    reach.require()
    assert site.asked == 3


def test_a_refusal_shows_that_the_remote_is_there(site: Site) -> None:
    reach = site.reach()
    site.error = ClaimLost("t", "it is another's")
    with pytest.raises(ClaimLost):
        reach.ask(site.probe)
    reach.require()
    assert site.asked == 1
