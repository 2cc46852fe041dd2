"""The database file: whose it is, how old it is, and what happens when the disk says no."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import BatonError, DamagedRecord, Refused
from gitbaton.store.model import (
    ABSENT,
    Absent,
    Actor,
    Committed,
    Key,
    Outcome,
    Rejected,
    Transaction,
    Unknown,
    Value,
    Version,
    make_key,
)
from gitbaton.store.sqlite import SqliteStore
from gitbaton.store.sqlite.schema import APPLICATION_ID, STEPS
from tests.unit.store.faults import Faults, FaultyStore

KEY = make_key("locks", "a")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a database may be, in a directory that is not there yet."""
    return tmp_path / "new" / "store.db"


def open_store(path: Path) -> SqliteStore:
    return SqliteStore(path, clock=ManualClock())


def put(
    store: SqliteStore, value: Value, expected: Version | Absent = ABSENT, key: Key = KEY
) -> Outcome:
    wish = Transaction(
        expect={key: expected}, write={key: value}, subject="test: put", actor=Actor("ada")
    )
    (outcome,) = store.commit([wish])
    return outcome


def meddle(path: Path, *statements: str) -> None:
    """Change the file as another program would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_records_and_history_outlive_the_process(path: Path) -> None:
    store = open_store(path)
    put(store, {"n": 1})
    before, past = store.read().records, store.history()
    store.close()
    again = open_store(path)
    assert again.read().records == before
    assert again.history() == past
    again.close()


def test_a_new_file_is_ours_and_up_to_date(path: Path) -> None:
    open_store(path).close()
    with closing(sqlite3.connect(path)) as connection:
        pragmas = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version", "journal_mode")
        ]
    assert pragmas == [APPLICATION_ID, len(STEPS), "wal"]


def test_every_commit_is_flushed_to_the_disk(path: Path) -> None:
    """I4: ``synchronous`` is a property of the connection, and FULL is 2."""
    store = open_store(path)
    flush = store._pool.run(lambda c: c.execute("PRAGMA synchronous").fetchone()[0])
    assert flush == 2
    store.close()


def test_a_newer_database_is_refused(path: Path) -> None:
    """Nothing is read from, or written to, a form that this version does not know."""
    open_store(path).close()
    meddle(path, f"PRAGMA user_version = {len(STEPS) + 1}")
    with pytest.raises(Refused, match="newer gitbaton") as caught:
        open_store(path)
    assert caught.value.code == "newer_format"


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE theirs (x)", "PRAGMA application_id = 7", "PRAGMA user_version = 3"],
)
def test_a_database_of_another_program_is_left_alone(tmp_path: Path, statement: str) -> None:
    """I3."""
    path = tmp_path / "theirs.db"
    meddle(path, statement)
    before = path.read_bytes()
    with pytest.raises(DamagedRecord, match="another program"):
        open_store(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    """I3."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear Ada, " * 500)
    with pytest.raises(DamagedRecord, match=r"letter\.txt is damaged"):
        open_store(path)
    assert path.read_text() == "Dear Ada, " * 500


def test_a_place_where_no_file_can_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match=r"store\.db cannot be used"):
        open_store(tmp_path / "file" / "store.db")
    with pytest.raises(Refused, match="cannot be used") as caught:
        open_store(tmp_path)
    assert caught.value.code == "cannot_open"


def test_a_damaged_record_is_quarantined(path: Path) -> None:
    """The others are read as ever; the damaged one can be replaced by whoever knows its version."""
    store = open_store(path)
    sound = make_key("locks", "sound")
    put(store, {"n": 1}, key=sound)
    made = put(store, {"n": 1})
    assert isinstance(made, Committed)
    meddle(path, f"UPDATE record SET value = x'7b7b' WHERE key = '{KEY}'")
    snapshot = store.read()
    assert snapshot.records.keys() == {sound}
    assert snapshot.damaged.keys() == {KEY}
    assert "not a JSON object" in snapshot.damaged[KEY]
    refused = put(store, {"n": 2})
    assert isinstance(refused, Rejected)
    assert KEY in refused.reason
    assert isinstance(put(store, {"n": 2}, made.versions[KEY]), Committed)
    assert store.read().damaged == {}
    store.close()


def test_a_full_database_is_an_error_and_nothing_is_half_done(path: Path) -> None:
    """I4, I6: SQLite's own limit, which fails as a full disk does."""
    store = FaultyStore(path, clock=ManualClock())
    put(store, {"n": 1})
    before, past = store.read().records, store.history()
    store._pool.run(lambda connection: connection.execute("PRAGMA max_page_count = 12"))
    with pytest.raises(Refused, match="full") as caught:
        put(store, {"big": "x" * 1_000_000}, before[KEY].version)
    assert caught.value.code == "disk_full"
    assert store.read().records == before
    assert store.history() == past
    assert isinstance(put(store, {"n": 2}, before[KEY].version), Committed)
    store.close()


def test_a_disk_that_takes_no_more_is_an_error(path: Path) -> None:
    """I4: a real write error, in a process that may write files of 200 kB at most."""
    store = open_store(path)
    put(store, {"n": 1})
    before = store.read().records
    script = (
        "import resource, sys; from pathlib import Path;"
        "from tests.unit.store.test_sqlite_file import *;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000));"
        "store = open_store(Path(sys.argv[1]));"
        "put(store, {'big': 'x' * 1_000_000}, store.read().records[KEY].version)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, path],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": "src:."},
    )
    assert ended.returncode == 1
    assert "gitbaton.core.errors.Refused" in ended.stderr
    assert "cannot be used: disk I/O error" in ended.stderr
    assert store.read().records == before
    assert isinstance(put(store, {"n": 2}, before[KEY].version), Committed)
    store.close()


def test_a_read_only_database_can_be_read(path: Path) -> None:
    store = open_store(path)
    put(store, {"n": 1})
    store._pool.run(lambda connection: connection.execute("PRAGMA query_only = ON"))
    before = store.read().records
    with pytest.raises(Refused, match="readonly") as caught:
        put(store, {"n": 2}, before[KEY].version)
    assert caught.value.code == "read_only"
    assert store.read().records == before
    store.close()


def test_a_flush_that_fails_leaves_the_outcome_unknown(path: Path) -> None:
    """The log may hold the commit and the disk not: nobody can say what a power cut leaves."""
    store = FaultyStore(path, clock=ManualClock())
    put(store, {"n": 1})
    before = store.read().records

    def fail() -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
        raise error

    with Faults(on="before COMMIT", how=fail):
        assert put(store, {"n": 2}, before[KEY].version) == Unknown("disk I/O error")
    assert store.read().records == before
    assert isinstance(put(store, {"n": 3}, before[KEY].version), Committed)
    store.close()


def test_another_error_of_sqlite_is_still_one_of_ours(path: Path) -> None:
    store = open_store(path)
    meddle(path, "DROP TABLE history")
    with pytest.raises(BatonError, match="no such table"):
        put(store, {"n": 1})
    assert store.read().records == {}
    store.close()


def test_a_closed_store_cannot_be_used(path: Path) -> None:
    store = open_store(path)
    store.close()
    with pytest.raises(ValueError, match="closed"):
        store.read()
    with pytest.raises(ValueError, match="closed"):
        put(store, {"n": 1})
    store.close()
