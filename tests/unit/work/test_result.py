"""Which commit is the result, for every shape of what an agent left behind."""

from __future__ import annotations

from itertools import product

import pytest

from gitbaton.core.ids import Oid
from gitbaton.work.result import Candidate, choose_result


def one(name: str, flags: str) -> Candidate:
    """``e``: at an expected place, ``d``: descends from the start, ``a``: ahead of it."""
    return Candidate(
        oid=Oid(name), expected="e" in flags, descends="d" in flags, ahead="a" in flags
    )


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        ([], None),
        ([one("head", "ed"), one("own", "ed")], None),
        ([one("head", "eda"), one("own", "eda")], "head"),
        ([one("head", "ed"), one("own", "eda")], "own"),
        ([one("head", "ea"), one("own", "eda")], "own"),
        ([one("head", "ed"), one("own", "ed"), one("side", "da")], "side"),
        ([one("head", "ed"), one("side", "da"), one("other", "da")], None),
        ([one("head", "ea"), one("own", "ed")], "head"),
        ([one("head", "ea"), one("own", "ed"), one("side", "da")], "side"),
        ([one("head", "e"), one("own", "ed")], None),
        ([one("head", "ed"), one("side", "a")], None),
    ],
)
def test_the_result(candidates: list[Candidate], chosen: str | None) -> None:
    found = choose_result(candidates)
    assert (found.oid if found else None) == chosen


def test_the_result_is_always_ahead_and_never_an_unrelated_branch() -> None:
    shapes = ["".join(flags) for flags in product(("", "e"), ("", "d"), ("", "a"))]
    for first, second in product(shapes, shapes):
        found = choose_result([one("1", first), one("2", second)])
        if found is not None:
            assert found.ahead
            assert found.expected or found.descends
