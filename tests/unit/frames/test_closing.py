"""When a frame closes: the whole table."""

from __future__ import annotations

import pytest

from gitbaton.frames.closing import Close, Decision, Wait, decide

BOTH = frozenset({"a", "b"})
NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("roster", "live", "delivered", "late", "elapsed", "then"),
    [
        ("ab", "ab", "", False, 10, Wait(("a", "b"), 90)),
        ("ab", "ab", "a", False, 10, Wait(("b",), 90)),
        ("ab", "ab", "a", True, 10, Wait(("b",), 90)),
        ("ab", "ab", "ab", False, 0, Close("delivered", ())),
        ("ab", "a", "a", False, 10, Close("delivered", ("b",))),
        ("ab", "", "a", False, 10, Close("delivered", ("b",))),
        ("ab", "ab", "a", False, 100, Close("deadline", ("b",))),
        ("ab", "ab", "", False, 100, Close("deadline", ("a", "b"))),
        ("abc", "ab", "a", False, 101, Close("deadline", ("b", "c"))),
        ("ab", "", "", False, 1000, Wait((), None)),
        ("ab", "", "", True, 0, Close("delivered", ("a", "b"))),
        ("", "", "", False, 1000, Wait((), None)),
        ("", "c", "", False, 2, Wait((), 3)),
        ("", "c", "", False, 5, Close("roster", ())),
        ("a", "c", "", False, 6, Close("roster", ("a",))),
        ("a", "ac", "", False, 6, Wait(("a",), 94)),
        ("a", "ac", "a", False, 6, Close("delivered", ())),
        ("", "", "c", False, 0, Close("delivered", ())),
    ],
)
def test_decide(
    roster: str, live: str, delivered: str, late: bool, elapsed: float, then: Decision
) -> None:
    decision = decide(
        roster=frozenset(roster),
        live=frozenset(live),
        delivered=frozenset(delivered),
        late=late,
        elapsed=elapsed,
        deadline=100,
        settle=5,
    )
    assert decision == then


def test_newcomers_need_not_be_waited_for() -> None:
    decision = decide(
        roster=NONE, live=BOTH, delivered=NONE, late=False, elapsed=0, deadline=9, settle=0
    )
    assert decision == Close("roster", ())
