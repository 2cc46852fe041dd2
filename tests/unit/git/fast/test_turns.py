"""Processes that choose at one repository wait for each other, never for long."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

from gitbaton.core.errors import Refused
from gitbaton.core.flock import lock_now
from gitbaton.git.fast import turns
from gitbaton.git.fast.turns import Turns


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def turns(self, directory: Path) -> Turns:
        return Turns(directory, clock=lambda: self.now, sleep=self.sleep)


def is_free(directory: Path) -> bool:
    handle = os.open(directory, os.O_RDONLY)
    try:
        return lock_now(handle)
    finally:
        os.close(handle)


def test_a_turn_is_had_at_once_and_given_back(tmp_path: Path) -> None:
    time = Time()
    with time.turns(tmp_path).take() as turn:
        assert turn == (True, False)
        assert not is_free(tmp_path)
    assert is_free(tmp_path)
    assert not time.slept


def test_who_comes_second_has_the_turn_when_the_first_is_through(tmp_path: Path) -> None:
    holder = os.open(tmp_path, os.O_RDONLY)
    assert lock_now(holder)
    time = Time()

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        if len(time.slept) == 3:
            os.close(holder)

    with Turns(tmp_path, clock=lambda: time.now, sleep=sleep).take() as turn:
        assert turn == (True, True)
        assert not is_free(tmp_path)
    assert len(time.slept) == 3


def test_a_holder_that_is_stopped_keeps_nobody_for_long(tmp_path: Path) -> None:
    """I4: and while it is, it keeps everybody once."""
    time = Time()
    waiting = time.turns(tmp_path)
    with Turns(tmp_path).take():
        with waiting.take() as turn:
            assert not turn.had
        waited = time.now
        assert turns._LONGEST <= waited <= turns._LONGEST + turns._LAST_PAUSE
        with waiting.take() as turn:
            assert not turn.had
        assert time.now == waited
        time.now += turns._WITHOUT
        with waiting.take() as turn:
            assert not turn.had
        assert time.now > waited + turns._WITHOUT
    with waiting.take() as turn:  # a turn that is free is taken all the same
        assert turn.had


def test_where_nothing_can_be_locked_nobody_waits(tmp_path: Path) -> None:
    time = Time()
    with time.turns(tmp_path / "missing").take() as turn:
        assert not turn.had
    for error in (OSError("a file system without flock"), Refused("no flock(2)")):
        with (
            mock.patch("gitbaton.git.fast.turns.lock_now", side_effect=error),
            time.turns(tmp_path).take() as turn,
        ):
            assert not turn.had
    assert not time.slept
