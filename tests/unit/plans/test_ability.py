"""What a worker can do for a plan, by its record and what an observer sees."""

from __future__ import annotations

from typing import Any

import pytest

from gitbaton.plans.ability import hand_of, words_of
from gitbaton.plans.registry.presence import Sighted
from gitbaton.plans.registry.record import State, WorkerRecord
from gitbaton.plans.scheduling import Hand
from gitbaton.store.model import Version
from tests.unit.tasks.desk import claimed

PLANS = {"old": {"python": ">=3.9"}, "new": {"python": ">=3.12", "node": ">=20"}, "any": {}}


def record(**fields: Any) -> WorkerRecord:
    given = {"name": "w1", "machine": "m", "state": State.SERVING, "session": "a" * 32, **fields}
    return WorkerRecord(**given)


def hand(watched: float = 0.0, **fields: Any) -> Hand:
    return hand_of(Sighted(record(**fields), Version("v"), watched), {}, [])


def test_the_words_of_a_worker() -> None:
    worker = record(capabilities=("gpu",), toolchain={"python": "3.11.2"})
    assert words_of(worker, PLANS) == {"gpu", "worker+w1", "toolchain+old", "toolchain+any"}


def test_kept_words_cannot_be_claimed() -> None:
    """I9: a pin and a toolchain hold although a record says otherwise."""
    worker = record(capabilities=("worker+w2", "toolchain+new"))
    assert words_of(worker, PLANS) == {"worker+w1", "toolchain+any"}


def test_a_version_that_cannot_be_read_meets_nothing() -> None:
    """I9."""
    assert "toolchain+old" not in words_of(record(toolchain={"python": "latest"}), PLANS)


def test_places_are_taken_by_what_is_in_progress_too() -> None:
    sighted = Sighted(record(slots=4, busy=("gone",), load=0.5), Version("v"))
    tasks = [claimed("a"), claimed("b"), claimed("c", agent="x")]
    seen = hand_of(sighted, {}, tasks)
    assert (seen.slots, seen.busy, seen.load, seen.away) == (4, 3, 0.5, None)
    assert hand_of(sighted, {}, []).busy == 1


@pytest.mark.parametrize(
    ("fields", "watched", "away"),
    [
        ({}, 899.0, None),
        ({}, 900.0, "not heard of for 900s"),
        ({"state": State.DRAINING}, 0.0, "draining"),
        ({"state": State.REFUSING, "reason": "no\npython"}, 0.0, "refusing: no python"),
        ({"state": State.GONE}, 9999.0, "gone"),
        ({"state": State.ABSENT}, 9999.0, "absent"),
    ],
)
def test_who_takes_nothing_now(fields: dict[str, Any], watched: float, away: str | None) -> None:
    assert hand(watched, **fields).away == away
