"""The tables, as numbered steps. A released step is never edited: add the next one."""

from __future__ import annotations

import sqlite3
from typing import Final

from gitbaton.core.errors import DamagedRecord, Refused

APPLICATION_ID: Final = 0x62746F6E
"""Marks a file as ours ("bton"); see https://www.sqlite.org/pragma.html#pragma_application_id."""

STEPS: Final[tuple[tuple[str, ...], ...]] = (
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
        """
        CREATE TABLE record (
            key     TEXT PRIMARY KEY,
            version TEXT NOT NULL,
            value   BLOB NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        # The unique version is a second guard: one that was given once is never given again.
        """
        CREATE TABLE history (
            number    INTEGER PRIMARY KEY AUTOINCREMENT,
            key       TEXT NOT NULL,
            version   TEXT NOT NULL UNIQUE,
            at        TEXT NOT NULL,
            actor     TEXT NOT NULL,
            email     TEXT NOT NULL,
            subject   TEXT NOT NULL,
            heartbeat INTEGER NOT NULL,
            value     BLOB  -- NULL: deleted
        ) STRICT
        """,
        "CREATE INDEX history_of_key ON history (key, number)",
    ),
)


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring the database up to the newest step; cheap when it is there already.

    Safe when many processes open a new file at once. Raises Refused for a database of a newer
    gitbaton, or on a disk without shared memory; DamagedRecord for a file that is not ours.
    """
    if _judge(connection) == len(STEPS):
        return
    # Outside a transaction, as SQLite demands; the mode is a lasting property of the file.
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise Refused(
            "the database needs a local disk: SQLite cannot share memory on this file system",
            code="no_wal",
            next="a clone on a local disk",
        )
    connection.execute("BEGIN IMMEDIATE")
    done = _step(connection)  # again, now that nobody else can change it
    for number, statements in enumerate(STEPS[done:], start=done + 1):
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")
    connection.execute("COMMIT")


def _judge(connection: sqlite3.Connection) -> int:
    """Return what ``_step`` does, also while somebody else is just making the tables."""
    try:
        return _step(connection)
    except DamagedRecord:
        # It reads three times. Foreign is only what is so when all is read in one transaction.
        connection.execute("BEGIN")
        try:
            return _step(connection)
        finally:
            connection.execute("COMMIT")


def _step(connection: sqlite3.Connection) -> int:
    """Return how many steps this database has seen, or raise if it is none that we know."""
    (step,) = connection.execute("PRAGMA user_version").fetchone()
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if owner != APPLICATION_ID and (owner or step or tables):
        raise DamagedRecord("this SQLite database belongs to another program")
    if step > len(STEPS):
        raise Refused(
            f"the database is of a newer gitbaton (format {step}; this one knows {len(STEPS)})",
            code="newer_format",
            next="upgrade gitbaton",
        )
    return int(step)
