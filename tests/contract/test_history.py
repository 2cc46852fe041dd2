"""The audit trail: every change but a replaced heartbeat, for ever."""

from __future__ import annotations

from gitbaton.core.clock import parse_rfc3339
from gitbaton.store.model import ABSENT, DELETE, Actor, Key, Version, make_key
from gitbaton.store.protocol import Store

from .changes import ACTOR, change, created, deleted, lost, put, replaced, won

TASK = make_key("tasks", "task-001")
LOCK = make_key("locks", "paths")


def test_history_tells_who_did_what(store: Store, other: Store) -> None:
    ada, bob = Actor("ada/w1", "ada@example.invalid"), Actor("Bob Ünal", "bob@example.invalid")
    add = change({TASK: ABSENT}, {TASK: {"n": 1}}, subject="add: Straße fegen", actor=ada)
    first = won(store.commit([add])[0])[TASK]
    claim = change({TASK: first}, {TASK: {"n": 2}}, subject="claim: task-001 by x#2", actor=bob)
    second = won(other.commit([claim])[0])[TASK]
    for handle in (store, other):
        newest, oldest = handle.history(TASK)
        assert (newest.key, newest.version, newest.actor) == (TASK, second, "Bob Ünal")
        assert (newest.subject, newest.value) == ("claim: task-001 by x#2", {"n": 2})
        assert (oldest.key, oldest.version, oldest.actor) == (TASK, first, "ada/w1")
        assert (oldest.subject, oldest.value) == ("add: Straße fegen", {"n": 1})
        assert parse_rfc3339(oldest.at) <= parse_rfc3339(newest.at)


def test_history_is_newest_first_and_can_be_cut(store: Store) -> None:
    version = created(store, LOCK, {"n": 0})
    for n in range(1, 6):
        version = replaced(store, LOCK, {"n": n}, version)
    assert [_n(change.value) for change in store.history(LOCK)] == [5, 4, 3, 2, 1, 0]
    assert [_n(change.value) for change in store.history(LOCK, limit=2)] == [5, 4]
    assert store.history(LOCK, limit=0) == []
    assert len(store.history(LOCK, limit=100)) == 6


def test_history_of_all_is_the_history_of_each(store: Store) -> None:
    keys = [TASK, LOCK, make_key("tasks", "task-002")]
    expected: dict[Key, list[Version]] = {}
    for key in keys:
        first = created(store, key, {"n": 1})
        expected[key] = [replaced(store, key, {"n": 2}, first), first]
    everything = store.history()
    assert len(everything) == 6
    for key in keys:
        assert [change.version for change in everything if change.key == key] == expected[key]
        assert [change.version for change in store.history(key)] == expected[key]
    assert len(store.history(limit=4)) == 4


def test_the_history_of_a_deleted_record_stays(store: Store, other: Store) -> None:
    """I3: what was deleted can still be read."""
    first = created(store, TASK, {"n": 1})
    deleted(store, TASK, first)
    again = created(other, TASK, {"n": 2})
    deleted(other, TASK, again)
    changes = store.history(TASK)
    assert [change.value for change in changes] == [None, {"n": 2}, None, {"n": 1}]
    assert len({change.version for change in changes}) == 4
    assert [changes[1].version, changes[3].version] == [again, first]


def test_a_change_that_lost_leaves_no_trace(store: Store) -> None:
    first = created(store, TASK, {"n": 1})
    lost(put(store, TASK, {"n": 2}))
    assert [change.version for change in store.history(TASK)] == [first]


def test_history_of_nothing_is_empty(store: Store) -> None:
    created(store, TASK, {"n": 1})
    assert store.history(LOCK) == []


def test_a_transaction_of_two_is_in_the_history_of_both(store: Store) -> None:
    wish = change({TASK: ABSENT, LOCK: ABSENT}, {TASK: {"n": 1}, LOCK: {"n": 2}}, subject="x: two")
    versions = won(store.commit([wish])[0])
    for key, version in versions.items():
        (change_,) = store.history(key)
        assert (change_.version, change_.subject, change_.actor) == (version, "x: two", ACTOR.name)


def test_heartbeats_do_not_pile_up(store: Store, other: Store) -> None:
    """Every transition is kept; the history does not grow with time."""
    version = created(store, TASK, {"n": 0})
    version = won(put(store, TASK, {"n": 1}, version, subject="claim: task-001"))[TASK]
    for n in range(2, 12):
        version = won(put(store, TASK, {"n": n}, version, subject="renew: x", heartbeat=True))[TASK]
    assert store.read().records[TASK].value == other.read().records[TASK].value == {"n": 11}
    version = won(put(store, TASK, {"n": 12}, version, subject="done: task-001"))[TASK]
    won(put(store, TASK, DELETE, version, subject="fold: task-001"))
    subjects = [change.subject for change in other.history(TASK)]
    kept = [subject for subject in subjects if subject != "renew: x"]
    assert kept == ["fold: task-001", "done: task-001", "claim: task-001", "test: put"]
    assert subjects.count("renew: x") <= 1


def test_a_heartbeat_never_replaces_other_news(store: Store) -> None:
    """I3: not the claim before it, and not the news between two heartbeats."""
    version = created(store, LOCK, {"n": 0})
    for n, heartbeat in enumerate([True, False, True, True, False, True], start=1):
        subject = "renew: x" if heartbeat else f"news: {n}"
        wish = put(store, LOCK, {"n": n}, version, subject=subject, heartbeat=heartbeat)
        version = won(wish)[LOCK]
    news = [c.subject for c in store.history(LOCK) if c.subject != "renew: x"]
    assert news == ["news: 5", "news: 2", "test: put"]


def test_a_heartbeat_replaces_only_its_own_record(store: Store) -> None:
    for key in (TASK, LOCK):
        version = created(store, key, {"n": 0})
        won(put(store, key, {"n": 1}, version, subject="renew: x", heartbeat=True))
    assert {c.key for c in store.history() if c.subject == "test: put"} == {TASK, LOCK}


def test_a_replaced_heartbeat_is_a_stale_version(store: Store, other: Store) -> None:
    """I1: forgotten by the history, and still no way to write."""
    first = created(store, LOCK, {"n": 0})
    beat = won(put(store, LOCK, {"n": 1}, first, heartbeat=True))[LOCK]
    latest = won(put(store, LOCK, {"n": 2}, beat, heartbeat=True))[LOCK]
    for stale in (first, beat):
        conflict = lost(put(other, LOCK, {"n": 9}, stale, heartbeat=True))
        assert conflict.found == {LOCK: store.read().records[LOCK]}
    assert store.read().records[LOCK].version == latest


def _n(value: object) -> object:
    assert isinstance(value, dict)
    return value["n"]
