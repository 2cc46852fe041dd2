"""Alternatives: as many as are wanted, earlier ones rather than later, and never one more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from gitbaton.core.errors import InvalidInput
from gitbaton.store.deferred import Alternatives
from gitbaton.store.model import (
    ABSENT,
    Absent,
    Choice,
    Committed,
    Conflict,
    Key,
    Spared,
    Transaction,
    Version,
    make_key,
)
from gitbaton.store.protocol import Store
from gitbaton.store.ssh.engine import SshStore

from .changes import change, created, deleted, replaced, values, won

KEYS = [make_key("tasks", f"t{number}") for number in range(10)]
Expected = Sequence[tuple[Key, Version | Absent]]


def placed(store: Store) -> list[tuple[Key, Version | Absent]]:
    """Create the records; return what a claim of each expects."""
    [made] = store.commit([change(dict.fromkeys(KEYS, ABSENT), {k: {"by": None} for k in KEYS})])
    return list(won(made).items())


def claims(expected: Expected, by: str = "us") -> Alternatives:
    """Return alternatives that are made when they are looked at."""

    def make(place: int) -> Transaction:
        key, version = expected[place]
        return change({key: version}, {key: {"by": by}})

    return Alternatives(expected, make)


def chosen(choices: Sequence[Choice]) -> list[int]:
    """Return the places of what was committed."""
    return [place for place, choice in enumerate(choices) if isinstance(choice, Committed)]


def held(store: Store) -> Mapping[Key, object]:
    """Return who has each record."""
    return {key: value["by"] for key, value in values(store).items()}


@pytest.mark.parametrize("count", [2, 12])
def test_the_first_ones_are_committed(store: Store, other: Store, count: int) -> None:
    """I1: exactly as many as are wanted, or all there are; the others are as they were."""
    alternatives = claims(placed(store))
    choices = store.commit_first(alternatives, count)
    first = list(range(min(count, len(KEYS))))
    assert chosen(choices) == first
    assert choices[len(first) :] == [Spared()] * (len(KEYS) - len(first))
    assert list(held(other).values()) == ["us"] * len(first) + [None] * (len(KEYS) - len(first))
    now = other.read().records
    for place in first:
        assert choices[place] == Committed({KEYS[place]: now[KEYS[place]].version})
    if not isinstance(store, SshStore):  # it sends all of them to the other host, which chooses
        assert len(alternatives.made()) <= max(count, 8)  # a few are made ahead at most


@pytest.mark.parametrize("lazy", [True, False])
def test_what_has_moved_on_is_passed_over(store: Store, other: Store, lazy: bool) -> None:
    """I1: it is told as moved or as a conflict, never as committed; the next one is taken."""
    expected = placed(store)
    for key, version in expected[:3]:
        assert not isinstance(version, Absent)
        replaced(other, key, {"by": "them"}, version)
    alternatives: Sequence[Transaction] = claims(expected)
    choices = store.commit_first(alternatives if lazy else list(alternatives), 1)
    if chosen(choices):  # an engine that cannot see the records may lose three times first
        assert chosen(choices) == [3]
    for choice in choices[:3]:
        assert isinstance(choice, Conflict) or choice in (Spared("moved"), Spared("raced"))
    assert list(held(other).values())[:3] == ["them"] * 3
    assert list(held(other).values()).count("us") == len(chosen(choices)) <= 1


def test_when_all_have_moved_on_nothing_is_committed(store: Store, other: Store) -> None:
    expected = placed(store)
    for key, version in expected:
        assert not isinstance(version, Absent)
        replaced(other, key, {"by": "them"}, version)
    choices = store.commit_first(claims(expected), 2)
    assert len(choices) == len(KEYS)
    assert all(isinstance(c, Conflict | Spared) for c in choices)
    assert set(held(store).values()) == {"them"}


def test_what_is_not_there_or_not_there_any_more_is_an_alternative_too(
    store: Store, other: Store
) -> None:
    """Creating is no move of a record that is there, and what was deleted cannot be claimed."""
    a, b, c = KEYS[:3]
    gone, there = created(store, b, {"by": None}), created(store, c, {"by": None})
    deleted(other, b, gone)
    choices = store.commit_first(claims([(b, gone), (a, ABSENT), (c, there)]), 2)
    assert chosen(choices) == [1, 2]
    assert held(other) == {a: "us", c: "us"}


def test_an_alternative_that_cannot_be_written_takes_no_other_along(store: Store) -> None:
    """I4: what was committed before it is told, or its error, and nothing was committed then."""
    expected = placed(store)
    good = claims(expected)

    def make(place: int) -> Transaction:
        if place < 9:
            return good[place]
        key, version = expected[place]
        return change({key: version}, {key: {"by": float("nan")}})

    taken: list[int] = []
    with suppress(InvalidInput):
        taken = chosen(store.commit_first(Alternatives(expected, make), 10))
    assert [place for place, by in enumerate(held(store).values()) if by == "us"] == taken


def test_racers_get_different_ones_and_no_more_than_they_want(store: Store, other: Store) -> None:
    """I1: two who choose at once from the same never win the same."""
    expected = placed(store)
    with ThreadPoolExecutor(2) as pool:
        mine = pool.submit(store.commit_first, claims(expected, "us"), 2)
        theirs = pool.submit(other.commit_first, claims(expected, "them"), 2)
        ours, others = chosen(mine.result()), chosen(theirs.result())
    assert not set(ours) & set(others)
    assert max(len(ours), len(others)) <= 2
    assert ours or others
    now = held(store)
    assert [place for place, key in enumerate(KEYS) if now[key] == "us"] == ours
    assert [place for place, key in enumerate(KEYS) if now[key] == "them"] == others


def test_rivals_in_one_call_have_one_winner(store: Store) -> None:
    """I1: the same record offered twice is committed once; nothing offered, nothing chosen."""
    version = created(store, KEYS[0], {"by": None})
    choices = store.commit_first(claims([(KEYS[0], version)] * 2), 2)
    assert len(chosen(choices)) == 1
    assert list(store.commit_first(claims([]), 1)) == []
