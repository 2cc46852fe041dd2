"""A crash at any step of a commit leaves the state before it or after it (I4, I6)."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from gitbaton.core.clock import ManualClock
from gitbaton.store.model import (
    ABSENT,
    DELETE,
    Absent,
    Actor,
    Committed,
    Conflict,
    Delete,
    Key,
    Transaction,
    Value,
    Version,
    make_key,
)
from gitbaton.store.protocol import Store
from gitbaton.store.sqlite import SqliteStore
from tests.unit.store.faults import (
    Crash,
    Faults,
    FaultyConnection,
    FaultyStore,
    crash,
    in_child,
    kill,
)

KEYS = [make_key("tasks", "a"), make_key("tasks", "b"), make_key("locks", "c")]
ACTOR = Actor("ada/w1")
State = dict[Key, Value]

VALUES: st.SearchStrategy[Value] = st.builds(lambda n: {"n": n}, st.integers(0, 9))
STATES: st.SearchStrategy[State] = st.dictionaries(st.sampled_from(KEYS), VALUES)
WISHES: st.SearchStrategy[Mapping[Key, Value | Delete]] = st.dictionaries(
    st.sampled_from(KEYS), VALUES | st.just(DELETE), min_size=1
)


@settings(max_examples=100, deadline=None)
@given(state=STATES, wish=WISHES, step=st.integers(0, 99), heartbeat=st.booleans())
@pytest.mark.parametrize("way", ["exception", "SIGKILL"])
def test_a_commit_cut_short_is_done_or_not_begun(
    way: str, state: State, wish: Mapping[Key, Value | Delete], step: int, *, heartbeat: bool
) -> None:
    """I4, I6: whichever of its statements is the last; and then everybody goes on."""
    with _store(state) as (store, path):
        before, past = store.read().records, store.history()
        change = _change(store, wish, heartbeat=heartbeat)
        moments = _moments(state, wish, heartbeat=heartbeat)
        at = len(moments) - 1 - step % len(moments)
        in_child(lambda: None)
        if way == "exception":
            with Faults(at=at, how=crash), pytest.raises(Crash):
                store.commit([change])
        else:
            with Faults(at=at, how=kill):
                assert in_child(lambda: store.commit([change])) == -signal.SIGKILL
        event(f"{way} {moments[at]}")

        survivor = SqliteStore(path, clock=ManualClock())
        done = moments[at] == "after COMMIT"
        assert _values(survivor) == (_applied(state, change) if done else state)
        if not done:
            assert survivor.read().records == before
            assert survivor.history() == past
        (again,) = survivor.commit([change])
        if done:
            assert isinstance(again, Conflict)
        else:
            assert isinstance(again, Committed)
        assert _values(store) == _values(survivor) == _applied(state, change)
        survivor.close()


@settings(max_examples=60, deadline=None)
@given(wishes=st.lists(WISHES, min_size=1, max_size=5), cut=st.floats(0, 1))
def test_a_log_cut_short_holds_whole_commits(
    wishes: list[Mapping[Key, Value | Delete]], cut: float
) -> None:
    """I4, I6: if the end of the log never reached the disk, the last commits are missing, whole."""
    with _store({}) as (store, path), tempfile.TemporaryDirectory() as elsewhere:
        states: list[State] = [{}]
        for wish in wishes:
            change = _change(store, wish, heartbeat=False)
            store.commit([change])
            states.append(_applied(states[-1], change))
        copy = Path(elsewhere) / path.name
        log = (path.parent / f"{path.name}-wal").read_bytes()
        shutil.copy(path, copy)
        (copy.parent / f"{copy.name}-wal").write_bytes(log[: round(len(log) * cut)])
        survivor = SqliteStore(copy, clock=ManualClock())
        found = _values(survivor)
        event(f"{len(states) - 1 - states.index(found)} commits missing")
        assert found in states
        assert cut < 1 or found == states[-1]
        survivor.close()


def test_half_a_commit_would_be_noticed(tmp_path: Path) -> None:
    """The check can fail: without its transaction, a commit that is killed is half there."""
    path = tmp_path / "store.db"
    store = CarelessStore(path, clock=ManualClock())
    wish = _transaction(dict.fromkeys(KEYS, ABSENT), {key: {"n": 1} for key in KEYS})
    with Faults(on="after REPLACE", how=kill):
        assert in_child(lambda: store.commit([wish])) == -signal.SIGKILL
    assert _values(store) not in ({}, _applied({}, wish))
    store.close()


def test_a_first_opening_cut_short_is_no_harm(tmp_path: Path) -> None:
    """I4: killed at any step of making the tables, the next to come makes them."""
    with Faults() as faults:
        FaultyStore(tmp_path / "whole.db", clock=ManualClock()).close()
    assert "before CREATE" in faults.moments
    for at, moment in enumerate(faults.moments):
        path = tmp_path / f"{at}.db"
        with Faults(at=at, how=kill):
            assert in_child(partial(FaultyStore, path, clock=ManualClock())) == -signal.SIGKILL
        store = SqliteStore(path, clock=ManualClock())
        (outcome,) = store.commit([_transaction({KEYS[0]: ABSENT}, {KEYS[0]: {"n": at}})])
        assert isinstance(outcome, Committed), moment
        store.close()


class CarelessConnection(FaultyConnection):
    """A mutant: each statement is a transaction of its own."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        return super().execute(
            "SELECT 1" if sql in ("BEGIN IMMEDIATE", "COMMIT") else sql, parameters
        )


class CarelessStore(SqliteStore):
    """A mutant: its commits are not whole."""

    _connection = CarelessConnection


@contextmanager
def _store(state: State) -> Iterator[tuple[FaultyStore, Path]]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "store.db"
        store = FaultyStore(path, clock=ManualClock())
        for key, value in state.items():
            store.commit([_transaction({key: ABSENT}, {key: value})])
        yield store, path
        store.close()


def _moments(state: State, wish: Mapping[Key, Value | Delete], *, heartbeat: bool) -> list[str]:
    """Return the steps that the commit has, from one that nothing disturbs.

    Opening a connection is among them: a fork closes those that are open.
    """
    with _store(state) as (store, _):
        change = _change(store, wish, heartbeat=heartbeat)
        in_child(lambda: None)
        with Faults() as faults:
            store.commit([change])
    assert faults.moments[-1] == "after COMMIT"
    return faults.moments


def _change(store: Store, wish: Mapping[Key, Value | Delete], *, heartbeat: bool) -> Transaction:
    """Return the change that ``wish`` is in the present state (what is absent is created)."""
    records = store.read().records
    expect: dict[Key, Version | Absent] = {}
    write: dict[Key, Value | Delete] = {}
    for key, value in wish.items():
        expect[key] = records[key].version if key in records else ABSENT
        write[key] = {"n": -1} if value is DELETE and key not in records else value
    return _transaction(expect, write, heartbeat=heartbeat)


def _transaction(
    expect: Mapping[Key, Version | Absent],
    write: Mapping[Key, Value | Delete],
    *,
    heartbeat: bool = False,
) -> Transaction:
    return Transaction(
        expect=expect, write=write, subject="test: x", actor=ACTOR, heartbeat=heartbeat
    )


def _applied(state: State, change: Transaction) -> State:
    after: State = dict(state)
    for key, value in change.write.items():
        after.pop(key, None)
        if not isinstance(value, Delete):
            after[key] = value
    return after


def _values(store: Store) -> State:
    return {key: record.value for key, record in store.read().records.items()}
