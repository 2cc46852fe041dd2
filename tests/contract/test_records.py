"""One record: created, replaced and deleted by compare-and-swap, and by nothing else."""

from __future__ import annotations

import pytest

from gitbaton.store.model import ABSENT, DELETE, Record, make_key
from gitbaton.store.protocol import Store

from .changes import created, deleted, lost, put, replaced, values

TASK = make_key("tasks", "task-001")
LOCK = make_key("locks", "paths")


def test_a_new_store_is_empty(store: Store) -> None:
    assert store.read().records == {}
    assert store.history() == []


def test_what_is_created_is_there_for_everybody(store: Store, other: Store) -> None:
    version = created(store, TASK, {"n": 1})
    assert store.read().records == {TASK: Record(version, {"n": 1})}
    assert other.read().records == {TASK: Record(version, {"n": 1})}


def test_what_is_replaced_is_replaced_for_everybody(store: Store, other: Store) -> None:
    first = created(store, LOCK, {"n": 1, "old": True})
    second = replaced(other, LOCK, {"n": 2}, first)
    assert second != first
    assert store.read().records == {LOCK: Record(second, {"n": 2})}


def test_what_is_deleted_is_gone_for_everybody(store: Store, other: Store) -> None:
    version = created(store, TASK, {"n": 1})
    deleted(other, TASK, version)
    assert store.read().records == {}
    assert created(store, TASK, {"n": 2}) != version


def test_creating_what_is_there_is_a_conflict(store: Store, other: Store) -> None:
    version = created(store, TASK, {"n": 1})
    assert lost(put(other, TASK, {"n": 2})).found == {TASK: Record(version, {"n": 1})}
    assert values(store) == {TASK: {"n": 1}}


def test_replacing_an_old_version_is_a_conflict(store: Store, other: Store) -> None:
    """I1: who has not seen the last change cannot make the next."""
    first = created(store, LOCK, {"n": 1})
    second = replaced(store, LOCK, {"n": 2}, first)
    assert lost(put(other, LOCK, {"n": 3}, first)).found == {LOCK: Record(second, {"n": 2})}
    assert values(store) == {LOCK: {"n": 2}}


def test_replacing_what_is_gone_is_a_conflict(store: Store, other: Store) -> None:
    version = created(store, TASK, {"n": 1})
    deleted(store, TASK, version)
    assert lost(put(other, TASK, {"n": 2}, version)).found == {TASK: ABSENT}
    assert values(store) == {}


def test_deleting_an_old_version_is_a_conflict(store: Store, other: Store) -> None:
    """I3: nobody deletes what they have not seen."""
    first = created(store, TASK, {"n": 1})
    second = replaced(store, TASK, {"n": 2}, first)
    assert lost(put(other, TASK, DELETE, first)).found == {TASK: Record(second, {"n": 2})}
    assert values(store) == {TASK: {"n": 2}}


def test_deleting_what_is_gone_is_a_conflict(store: Store, other: Store) -> None:
    version = created(store, TASK, {"n": 1})
    deleted(store, TASK, version)
    assert lost(put(other, TASK, DELETE, version)).found == {TASK: ABSENT}


def test_the_version_of_another_record_is_a_conflict(store: Store) -> None:
    version = created(store, TASK, {"n": 1})
    held = created(store, LOCK, {"n": 1})
    assert lost(put(store, LOCK, {"n": 2}, version)).found == {LOCK: Record(held, {"n": 1})}


def test_equal_values_have_different_versions(store: Store, other: Store) -> None:
    """I1: two who write the same bytes must not both be told that they won."""
    first = created(store, LOCK, {"same": 1})
    second = replaced(store, LOCK, {"same": 1}, first)
    elsewhere = created(store, TASK, {"same": 1})
    assert len({first, second, elsewhere}) == 3
    assert lost(put(other, LOCK, {"same": 1}, first)).found == {LOCK: Record(second, {"same": 1})}


@pytest.mark.parametrize("times", [1, 3])
def test_a_version_never_comes_back(store: Store, other: Store, times: int) -> None:
    """I1, the ABA trap: deleted and created again with the same value is not the same record."""
    held = latest = created(store, TASK, {"same": 1})
    for _ in range(times):
        deleted(store, TASK, latest)
        latest = created(store, TASK, {"same": 1})
    assert lost(put(other, TASK, {"mine": 1}, held)).found == {TASK: Record(latest, {"same": 1})}
    assert values(other) == {TASK: {"same": 1}}
