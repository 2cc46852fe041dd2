"""Lists whose items are made when they are looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from gitbaton.store.deferred import Alternatives, Deferred, expectation
from gitbaton.store.model import ABSENT, Absent, Actor, Key, Transaction, Version, make_key

KEYS = [make_key("tasks", name) for name in "abc"]


class Maker:
    """Makes squares, and remembers which it was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, place: int) -> int:
        self.asked.append(place)
        return place * place


def claim(place: int) -> Transaction:
    return Transaction(
        expect={KEYS[place]: Version("v")}, write={KEYS[place]: {}}, subject="s", actor=Actor("a")
    )


def test_nothing_is_made_before_it_is_looked_at() -> None:
    make = Maker()
    items = Deferred(5, make)
    assert (len(items), bool(items), items.made(), make.asked) == (5, True, [], [])
    assert not Deferred(0, make)


def test_each_is_made_once() -> None:
    make = Maker()
    items = Deferred(5, make)
    assert [items[3], items[3], items[1], items[-2]] == [9, 9, 1, 9]
    assert make.asked == [3, 1]
    assert list(items) == [0, 1, 4, 9, 16]
    assert sorted(make.asked) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("part", "places"),
    [
        (slice(2), [0, 1]),
        (slice(3, None), [3, 4]),
        (slice(-1, None), [4]),
        (slice(None, None, -2), [4, 2, 0]),
        (slice(4, 99), [4]),
        (slice(7, 9), []),
    ],
)
def test_of_a_slice_only_its_items_are_made(part: slice, places: list[int]) -> None:
    make = Maker()
    assert Deferred(5, make)[part] == [place * place for place in places]
    assert make.asked == places


@pytest.mark.parametrize("place", [5, -6])
def test_beyond_the_end_is_nothing(place: int) -> None:
    make = Maker()
    with pytest.raises(IndexError):
        Deferred(5, make)[place]
    assert make.asked == []


def test_what_was_made_can_be_told_without_making_more() -> None:
    make = Maker()
    items = Deferred(5, make)
    assert items[3] + items[0] == 9
    assert items.made() == [9, 0]
    assert items.made([0, 1, 3]) == [0, 9]
    assert [items.has_made(place) for place in range(5)] == [True, False, False, True, False]
    assert make.asked == [3, 0]


def test_what_could_not_be_made_is_tried_again_and_harms_no_other() -> None:
    troubles = [OSError("full")]

    def make(place: int) -> int:
        if troubles and place == 1:
            raise troubles.pop()
        return place

    items = Deferred(3, make)
    assert items[0] == 0
    with pytest.raises(OSError, match="full"):
        items[1]
    assert not items.has_made(1)
    assert (items.made(), items[2], items[1]) == ([0], 2, 1)


def test_threads_that_look_at_once_see_the_same_item() -> None:
    """What was pushed and what its caller reads the nonce from must be one and the same."""
    both = threading.Barrier(2)

    def make(place: int) -> object:
        both.wait(timeout=20)
        return object()

    items = Deferred(1, make)
    seen: list[object] = []
    look: Callable[[], None] = lambda: seen.append(items[0])  # noqa: E731
    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(seen) == 2
    assert seen[0] is seen[1] is items[0]


def test_what_an_alternative_expects_is_known_before_it_is_made() -> None:
    expected: list[tuple[Key, Version | Absent]] = [
        (KEYS[0], Version("v")),
        (KEYS[1], Version("v")),
        (KEYS[2], ABSENT),
    ]
    alternatives = Alternatives(expected, claim)
    assert [expectation(alternatives, place) for place in range(3)] == expected
    assert alternatives.made() == []
    assert alternatives[1] == claim(1)
    assert alternatives.made() == [claim(1)]


def test_what_a_plain_transaction_expects_is_read_from_it() -> None:
    assert expectation([claim(0), claim(1)], 1) == (KEYS[1], "v")
    two = Transaction(
        expect=dict.fromkeys(KEYS[:2], ABSENT),
        write={KEYS[0]: {}, KEYS[1]: {}},
        subject="s",
        actor=Actor("a"),
    )
    with pytest.raises(ValueError, match="too many values"):
        expectation([two], 0)
