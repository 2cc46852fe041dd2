"""How often a process of a world looks: seldom in the middle of a frame, soon at its end."""

from __future__ import annotations

import random

import pytest

from gitbaton.frames.pace import pause


def wait(
    elapsed: float, *, missing: float = 1.0, leads: bool = False, lease: float = 60.0
) -> float:
    """Return the pause without its jitter, near enough."""
    rng = random.Random(1)
    drawn = [pause(elapsed, lease=lease, rng=rng, missing=missing, leads=leads) for _ in range(400)]
    return sum(drawn) / len(drawn)


def test_a_long_frame_costs_few_looks_and_a_short_one_is_noticed() -> None:
    assert wait(0.0) == pytest.approx(0.15, rel=0.05)
    assert wait(30.0) == pytest.approx(1.5, rel=0.05)
    assert wait(1000.0) == pytest.approx(3.0, rel=0.05)
    assert wait(1000.0, lease=6.0) == pytest.approx(1.0, rel=0.05)


def test_the_primary_looks_the_sooner_the_fewer_are_missing() -> None:
    leading = [wait(60.0, missing=part, leads=True) for part in (1.0, 0.5, 0.2, 0.0)]
    assert leading == pytest.approx([3.0, 0.75, 0.15, 0.15], rel=0.05)


def test_the_others_look_soon_when_all_have_delivered() -> None:
    assert wait(60.0, missing=0.5) == pytest.approx(3.0, rel=0.05)
    assert wait(60.0, missing=0.0) == pytest.approx(0.3, rel=0.05)
