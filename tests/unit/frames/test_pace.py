"""How often a process of a world looks: seldom in the middle of a frame, soon at its end."""

from __future__ import annotations

import random

import pytest

from gitbaton.frames.pace import pause, retry


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


def test_a_token_is_renewed_in_time_and_nobody_looks_without_end() -> None:
    """Never longer than a sixth of the lease, but for a lease that is shorter than a look."""
    assert wait(1000.0, lease=18.1) == pytest.approx(3.0, rel=0.05)
    assert wait(0.0, lease=0.6) == pytest.approx(0.1, rel=0.05)
    assert wait(0.0, lease=0.01) == pytest.approx(0.05, rel=0.05)
    assert wait(3.0) == pytest.approx(0.15, rel=0.05) and wait(3.6) > 0.17
    assert wait(60.0) == pytest.approx(3.0, rel=0.05) and wait(54.0) < 2.8


def test_only_who_leads_looks_sooner_while_some_are_missing() -> None:
    for part in (0.01, 0.5, 1.0):
        assert wait(60.0, missing=part) == pytest.approx(3.0, rel=0.05)
    assert wait(60.0, missing=0.9, leads=True) == pytest.approx(3.0 * 0.81, rel=0.05)
    assert wait(6.0, missing=0.0) == pytest.approx(0.15, rel=0.05), "never less than that"


def test_no_two_of_a_fleet_look_in_step() -> None:
    rng = random.Random(2)
    drawn = [pause(1000.0, lease=60.0, rng=rng) for _ in range(2000)]
    assert 2.25 <= min(drawn) < 2.3 and 3.7 < max(drawn) <= 3.75


@pytest.mark.parametrize(
    ("failures", "most"), [(1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0), (6, 15.0), (7, 15.0), (99, 15.0)]
)
def test_what_failed_is_tried_again_later_and_later(failures: int, most: float) -> None:
    rng = random.Random(3)
    drawn = [retry(failures, rng=rng) for _ in range(2000)]
    assert most * 0.5 <= min(drawn) < most * 0.52
    assert most * 0.98 < max(drawn) <= most
