"""Recalling: what was seen last, with our own commits since, asking nobody."""

from __future__ import annotations

import random

from gitbaton.store.model import ABSENT, DELETE, Committed, Key, Value, Version, make_key
from gitbaton.store.protocol import Store

from .changes import change, created, put, replaced, values, won

TASK = make_key("tasks", "task-001")
LOCK = make_key("locks", "paths")


def recalled(store: Store) -> dict[Key, Value]:
    """Return the values that ``store`` recalls."""
    snapshot = store.recall()
    assert snapshot is not None
    return {key: record.value for key, record in snapshot.records.items()}


def test_before_the_first_look_nothing_or_everything_is_recalled(
    store: Store, other: Store
) -> None:
    version = created(other, TASK, {"n": 1})
    snapshot = store.recall()
    assert snapshot is None or snapshot.records[TASK].version == version


def test_what_was_read_is_recalled(store: Store, other: Store) -> None:
    created(other, TASK, {"n": 1})
    created(other, LOCK, {"n": 2})
    seen = store.read()
    snapshot = store.recall()
    assert snapshot is not None
    assert snapshot.records == seen.records
    assert snapshot.live == seen.live
    only = store.recall("locks/")
    assert only is not None
    assert only.records.keys() == {LOCK}


def test_our_own_commits_are_recalled_at_once(store: Store) -> None:
    store.read()
    version = created(store, TASK, {"n": 1})
    assert recalled(store) == {TASK: {"n": 1}}
    version = replaced(store, TASK, {"n": 2}, version)
    assert recalled(store) == {TASK: {"n": 2}}
    snapshot = store.recall()
    assert snapshot is not None
    assert snapshot.live[TASK].version == version
    lock = created(store, LOCK, {"n": 0})
    both = change({TASK: version, LOCK: lock}, {TASK: {"n": 3}, LOCK: {"n": 1}})
    [outcome] = store.commit([both])
    version = won(outcome)[TASK]
    assert recalled(store) == {TASK: {"n": 3}, LOCK: {"n": 1}}
    won(put(store, TASK, DELETE, version))
    assert recalled(store) == {LOCK: {"n": 1}}
    created(store, TASK, {"n": 4})
    assert recalled(store) == values(store) == {TASK: {"n": 4}, LOCK: {"n": 1}}


def test_what_did_not_happen_is_not_recalled(store: Store, other: Store) -> None:
    """I6."""
    first = created(other, TASK, {"n": 1})
    store.read()
    second = replaced(other, TASK, {"n": 2}, first)
    put(store, TASK, {"n": 3}, first)
    snapshot = store.recall()
    assert snapshot is not None
    assert snapshot.records[TASK].version in (first, second)
    assert snapshot.records[TASK].value in ({"n": 1}, {"n": 2})


def test_a_recalled_snapshot_does_not_change(store: Store) -> None:
    """I6."""
    version = created(store, TASK, {"n": 1})
    store.read()
    snapshot = store.recall()
    assert snapshot is not None
    replaced(store, TASK, {"n": 2}, version)
    assert {key: record.value for key, record in snapshot.records.items()} == {TASK: {"n": 1}}


def test_nothing_is_recalled_that_never_was(store: Store, other: Store) -> None:
    """Every record recalled is a version that somebody committed, with its value."""
    rng = random.Random(5)
    keys = [TASK, LOCK, make_key("tasks", "task-002")]
    was: dict[Version, Value] = {}
    mine: dict[Key, Version | None] = {}
    for step in range(30):
        handle = rng.choice([store, other])
        key = rng.choice(keys)
        there = handle.read().records if rng.random() < 0.6 else None
        if there is None:
            remembered = handle.recall()
            there = remembered.records if remembered is not None else {}
        record = there.get(key)
        value: Value = {"step": step}
        delete = record is not None and key != LOCK and rng.random() < 0.2
        expected = record.version if record is not None else ABSENT
        outcome = put(handle, key, DELETE if delete else value, expected)
        if isinstance(outcome, Committed):
            was |= dict.fromkeys(outcome.versions.values(), value)
            if handle is store:
                mine[key] = outcome.versions.get(key)
            else:
                mine.pop(key, None)
        snapshot = store.recall()
        for found, shown in snapshot.records.items() if snapshot is not None else ():
            assert was[shown.version] == shown.value, found
        for own, version in mine.items() if snapshot is not None else ():
            assert snapshot is not None
            now = snapshot.records.get(own)
            assert (now.version if now is not None else None) == version
    assert values(store) == values(other)
