"""A channel that is opened ahead of time: who gets it, who ends it, and what its troubles cost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from unittest import mock

import pytest

from gitbaton.git.fast.channel import Channel
from gitbaton.git.fast.spare import Spares
from gitbaton.git.fast.trouble import Lost, Unfit


class FakeChannel(Channel):
    """A channel without a process."""

    def __init__(self) -> None:
        self.running = True
        self.closed = 0

    @property
    def is_running(self) -> bool:
        return self.running

    def close(self) -> None:
        self.running = False
        self.closed += 1


@pytest.fixture
def opened() -> list[FakeChannel]:
    """The channels that were opened, in order."""
    return []


@pytest.fixture
def open_channel(opened: list[FakeChannel]) -> Callable[[], Channel]:
    def open_one() -> Channel:
        opened.append(FakeChannel())
        return opened[-1]

    return open_one


@pytest.fixture
def spares() -> Iterator[Spares]:
    made = Spares()
    yield made
    made.close()


def test_the_second_push_in_succession_opens_one_spare(
    spares: Spares, opened: list[FakeChannel], open_channel: Callable[[], Channel]
) -> None:
    spares.pushed(open_channel)
    assert (opened, spares.is_there, spares.take()) == ([], False, None)
    spares.pushed(open_channel)
    spares.pushed(open_channel)
    assert (len(opened), spares.is_there) == (1, True)
    assert spares.take() is opened[0]
    assert (spares.is_there, spares.take(), opened[0].closed) == (False, None, 0)


def test_one_that_has_ended_is_not_given_out(
    spares: Spares, opened: list[FakeChannel], open_channel: Callable[[], Channel]
) -> None:
    spares.pushed(open_channel)
    spares.pushed(open_channel)
    opened[0].running = False
    assert (spares.is_there, spares.take(), opened[0].closed) == (False, None, 1)


def test_one_that_nobody_takes_is_closed_and_one_that_was_taken_is_not(
    spares: Spares, opened: list[FakeChannel], open_channel: Callable[[], Channel]
) -> None:
    spares.pushed(open_channel)
    spares.pushed(open_channel)
    spares._expire(opened[0])
    assert (spares.is_there, opened[0].closed) == (False, 1)
    spares.pushed(open_channel)
    taken = spares.take()
    assert taken is opened[1]
    spares._expire(opened[1])
    assert opened[1].closed == 0
    spares.pushed(open_channel)
    spares.close()
    assert opened[2].closed == 1


@pytest.mark.parametrize(
    "trouble", [Unfit("gone", lasting=False), Lost("gone"), OSError("no more files")]
)
def test_what_keeps_a_spare_from_opening_is_not_told_of_the_push_that_is_done(
    spares: Spares, open_channel: Callable[[], Channel], trouble: Exception
) -> None:
    """I1: its report is there already; an error instead would hide who won."""
    spares.pushed(open_channel)
    spares.pushed(mock.Mock(side_effect=trouble))
    assert not spares.is_there


def test_a_spare_that_cannot_be_watched_is_closed_at_once(
    spares: Spares, opened: list[FakeChannel], open_channel: Callable[[], Channel]
) -> None:
    """I1: no thread is to be had, or the interpreter is about to end."""
    spares.pushed(open_channel)
    with mock.patch.object(threading.Timer, "start", side_effect=RuntimeError("no new thread")):
        spares.pushed(open_channel)
    assert (spares.is_there, opened[0].closed) == (False, 1)


class FakeTimer:
    """What ``threading.Timer`` would be told, and whether it was called off."""

    made: list[FakeTimer]

    def __init__(self, seconds: float, act: Callable[..., None], args: list[object]) -> None:
        self.seconds, self.act, self.args = seconds, act, args
        self.daemon = self.started = self.cancelled = False
        self.made.append(self)

    def start(self) -> None:
        assert self.daemon  # a process that ends waits for no timer
        self.started = True

    def cancel(self) -> None:
        self.cancelled = True


def test_pushes_that_are_far_apart_open_no_spare(
    spares: Spares, opened: list[FakeChannel], open_channel: Callable[[], Channel]
) -> None:
    """No process is to wait on the server for somebody who comes back in a minute."""
    for now, count in ((100.0, 0), (105.0, 0), (109.9, 1)):
        with mock.patch("time.monotonic", return_value=now):
            spares.pushed(open_channel)
        assert len(opened) == count


def test_a_spare_is_watched_until_it_is_taken(
    spares: Spares, opened: list[FakeChannel], open_channel: Callable[[], Channel]
) -> None:
    FakeTimer.made = []
    with mock.patch("threading.Timer", FakeTimer):
        spares.pushed(open_channel)
        spares.pushed(open_channel)
        spares.pushed(open_channel)
    [timer] = FakeTimer.made
    assert (timer.seconds, timer.started, timer.cancelled) == (10.0, True, False)
    assert spares.take() is opened[0]
    assert timer.cancelled  # or a thread a push would wait for nothing
    timer.act(*timer.args)
    assert opened[0].closed == 0
