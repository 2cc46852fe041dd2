"""Transactions under a name: asked for again, they are answered and not done again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.core.ids import Nonce
from gitbaton.store.model import (
    ABSENT,
    DELETE,
    Absent,
    Actor,
    Committed,
    Conflict,
    Delete,
    Key,
    Spared,
    Transaction,
    Value,
    Version,
    make_key,
)
from gitbaton.store.sqlite import SqliteStore

A, B, C = (make_key("locks", name) for name in "abc")
N1, N2, N3 = (Nonce(letter * 32) for letter in "123")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "store.db", clock=ManualClock())
    yield made
    made.close()


def change(
    key: Key, value: Value | Delete, expected: Version | Absent = ABSENT, *, heartbeat: bool = False
) -> Transaction:
    return Transaction(
        expect={key: expected},
        write={key: value},
        subject="test: named",
        actor=Actor("ada"),
        heartbeat=heartbeat,
    )


def test_a_repeat_is_the_same_answer(store: SqliteStore) -> None:
    """I1, I4: also when the record has been changed and deleted since."""
    wish = change(A, {"n": 1})
    first = store.commit_as([N1], [wish])
    assert store.commit_as([N1], [wish]) == first
    (outcome,) = first
    assert isinstance(outcome, Committed)
    gone = change(A, DELETE, outcome.versions[A])
    assert store.commit_as([N2], [gone]) == [Committed({})]
    assert store.commit_as([N1, N2], [wish, gone]) == [outcome, Committed({})]
    assert store.read().records == {}
    assert len(store.history()) == 2


def test_the_same_wish_under_another_name_is_another(store: SqliteStore) -> None:
    wish = change(A, {"n": 1})
    store.commit_as([N1], [wish])
    (outcome,) = store.commit_as([N2], [wish])
    assert isinstance(outcome, Conflict)


def test_a_name_that_lost_may_be_asked_again(store: SqliteStore) -> None:
    """What was refused has no name: nothing of it is remembered."""
    store.commit([change(A, {"n": 1})])
    (lost,) = store.commit_as([N1], [change(A, {"n": 2})])
    assert isinstance(lost, Conflict)
    assert store.commit_as([N1], [change(A, {"n": 2})]) == [lost]


def test_a_choice_asked_for_again_chooses_nothing_more(store: SqliteStore) -> None:
    """I1: exactly ``count`` of them, however often it is asked."""
    store.commit([change(A, {"n": 0})])
    wishes = [change(key, {"n": 1}) for key in (A, B, C)]
    names = [N1, N2, N3]
    first = store.commit_first_as(names, wishes, 1)
    assert [type(choice) for choice in first] == [Conflict, Committed, Spared]
    version = store.read().records[A].version
    store.commit([change(A, DELETE, version)])  # what was in the way is gone
    again = store.commit_first_as(names, wishes, 1)
    assert [type(choice) for choice in again] == [Spared, Committed, Spared]
    assert again[1] == first[1]
    assert store.read().records.keys() == {B}


def test_versions_are_never_given_twice(store: SqliteStore) -> None:
    """I1: not even to one who uses a name for something else."""
    (first,) = store.commit_as([N1], [change(A, {"n": 1})])
    assert isinstance(first, Committed)
    store.commit_as([N1], [change(B, {"n": 1})])
    assert store.read().records.keys() == {A}
    versions = [entry.version for entry in store.history()]
    assert len(set(versions)) == len(versions) == 1


def test_a_heartbeat_is_forgotten_with_the_next(store: SqliteStore) -> None:
    """The one thing that a name does not tell; the client says Unknown then."""
    store.commit([change(A, {"n": 0})])
    seen = store.read().records[A].version
    beat = change(A, {"n": 1}, seen, heartbeat=True)
    (done,) = store.commit_as([N1], [beat])
    assert isinstance(done, Committed)
    assert store.commit_as([N1], [beat]) == [done]
    store.commit([change(A, {"n": 2}, done.versions[A], heartbeat=True)])
    (after,) = store.commit_as([N1], [beat])
    assert isinstance(after, Conflict)
