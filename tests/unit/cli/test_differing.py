"""What is other between two documents, place by place."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gitbaton.cli.frame.differing import ABSENT, Difference, compare

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab~/", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("ab~/", max_size=2), inner, max_size=4)
    ),
    max_leaves=12,
)


def test_places_are_named_as_deep_as_they_can_be() -> None:
    before = {"a": {"b": 1, "c/d": 2}, "list": [1, 2, 3], "gone": True}
    after = {"a": {"b": 1, "c/d": 3}, "list": [1, 9, 2, 3], "new": None}
    assert list(compare(before, after)) == [
        Difference("/a/c~1d", 2, 3),
        Difference("/gone", True, ABSENT),
        Difference("/list/1", ABSENT, 9),
        Difference("/new", ABSENT, None),
    ]


def test_one_and_true_are_not_the_same() -> None:
    assert [d.path for d in compare({"a": [1]}, {"a": [True]})] == ["/a/0"]


@given(JSON)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert list(compare(value, copy.deepcopy(value))) == []


@given(JSON, JSON)
def test_something_is_told_of_what_differs(one: Any, other: Any) -> None:
    """Forth and back the same places are told, each side in its turn."""
    there, back = list(compare(one, other)), list(compare(other, one))
    assert sorted(d.path for d in there) == sorted(d.path for d in back)
    assert all(d.before is not d.after for d in there)
    if repr(one) != repr(other) and one != other:
        assert there
