"""One database for many: waiting for locks, threads, and forks."""

from __future__ import annotations

import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import RemoteUnreachable
from gitbaton.store.model import ABSENT, Absent, Actor, Committed, Transaction, Version, make_key
from gitbaton.store.sqlite import SqliteStore, pool
from gitbaton.store.sqlite.forks import GATE, ForkGate
from tests.unit.store.faults import Faults, FaultyStore, in_child

COUNTER = make_key("locks", "counter")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database whose counter is 0."""
    path = tmp_path / "store.db"
    store = SqliteStore(path, clock=ManualClock())
    store.commit([change({"count": 0})])
    store.close()
    return path


def change(value: dict[str, int], expected: Version | Absent = ABSENT) -> Transaction:
    return Transaction(
        expect={COUNTER: expected},
        write={COUNTER: value},
        subject="test: count",
        actor=Actor("ada"),
    )


def count_up(store: SqliteStore, times: int) -> None:
    """Add ``times`` to the counter, one at a time, however often that is lost."""
    for _ in range(times):
        while True:
            record = store.read().records[COUNTER]
            (outcome,) = store.commit(
                [change({"count": record.value["count"] + 1}, record.version)]
            )
            if isinstance(outcome, Committed):
                break


def count(store: SqliteStore) -> int:
    value = store.read().records[COUNTER].value["count"]
    assert isinstance(value, int)
    return value


def test_threads_share_one_store(path: Path) -> None:
    """I1: sixteen threads on one handle lose no update."""
    store = SqliteStore(path, clock=ManualClock())
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda _: count_up(store, 5), range(16)))
    assert count(store) == 80
    store.close()


def test_a_locked_database_is_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``database is locked`` is no answer: the third attempt finds it free."""
    monkeypatch.setattr(pool, "_BUSY_TIMEOUT", 0.0)
    store = FaultyStore(path, clock=ManualClock())
    with closing(sqlite3.connect(path, isolation_level=None)) as rival:
        rival.execute("BEGIN IMMEDIATE")
        attempts = 0

        def release_at_the_third() -> None:
            nonlocal attempts
            attempts += 1
            if attempts == 3:
                rival.execute("ROLLBACK")

        with Faults(on="before BEGIN", how=release_at_the_third):
            count_up(store, 1)
    assert attempts == 3
    assert count(store) == 1
    store.close()


def test_one_who_never_lets_go_is_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_BUSY_TIMEOUT", 0.0)
    monkeypatch.setattr(pool, "PATIENCE", 0.0)
    store = SqliteStore(path, clock=ManualClock())
    with closing(sqlite3.connect(path, isolation_level=None)) as rival:
        rival.execute("BEGIN IMMEDIATE")
        assert count(store) == 0, "readers do not wait for writers"
        with pytest.raises(RemoteUnreachable, match="locked by other processes"):
            count_up(store, 1)
    count_up(store, 1)
    assert count(store) == 1
    store.close()


def test_both_sides_of_a_fork_use_the_store(path: Path) -> None:
    """I1: the child and its parent count at the same time, on a handle opened before the fork."""
    store = SqliteStore(path, clock=ManualClock())
    count_up(store, 3)
    with ThreadPoolExecutor(2) as threads:
        work = [threads.submit(count_up, store, 40) for _ in range(2)]
        children = [in_child(lambda: count_up(store, 5)) for _ in range(6)]
        for future in work:
            future.result()
    assert children == [0] * 6
    assert count(store) == 3 + 2 * 40 + 6 * 5
    store.close()


def test_no_connection_is_open_while_the_process_forks(path: Path) -> None:
    """A child that inherited one could damage the database."""
    store = SqliteStore(path, clock=ManualClock())
    count_up(store, 1)
    assert _open_files(path)

    def fail_if_any_is_open() -> None:
        assert not _open_files(path)

    assert in_child(fail_if_any_is_open) == 0
    store.close()


def test_a_fork_waits_for_work_and_work_for_a_fork() -> None:
    gate = ForkGate()
    working, finish, order = threading.Event(), threading.Event(), []

    def work() -> None:
        with gate.working():
            working.set()
            finish.wait()
            with gate.working():  # who works already may go deeper although a fork waits
                order.append("work")

    def fork() -> None:
        gate.before_fork()
        order.append("fork")
        gate.after_fork_in_parent()

    def work_later() -> None:
        with gate.working():
            order.append("later work")

    first = threading.Thread(target=work)
    first.start()
    working.wait()
    second = threading.Thread(target=fork)
    second.start()
    while not gate._forking:
        os.sched_yield()
    third = threading.Thread(target=work_later)
    third.start()
    finish.set()
    for thread in (first, second, third):
        thread.join()
    assert order == ["work", "fork", "later work"]


def test_the_gate_is_open_again_in_a_child() -> None:
    def use_the_gate() -> None:
        with GATE.working():
            pass
        assert in_child(lambda: None) == 0

    assert in_child(use_the_gate) == 0


def _open_files(path: Path) -> list[str]:
    """Return what this process has open of the database."""
    return [file.path for file in psutil.Process().open_files() if path.name in file.path]
