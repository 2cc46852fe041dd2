"""Every question and change that the engine puts to its tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import takewhile
from typing import NamedTuple

from gitbaton.store.model import Change, Key, Transaction, Version
from gitbaton.store.values import decode_value


class Row(NamedTuple):
    """A record as it lies in the table."""

    key: Key
    version: Version
    data: bytes


def select_prefix(connection: sqlite3.Connection, prefix: str) -> list[Row]:
    """Return the records whose key starts with ``prefix``, in the order of their keys."""
    cursor = connection.execute(
        "SELECT key, version, value FROM record WHERE key >= ? ORDER BY key", (prefix,)
    )
    try:
        return [Row(*row) for row in takewhile(lambda row: row[0].startswith(prefix), cursor)]
    finally:
        cursor.close()  # it was not read to its end, and would keep its snapshot open


def select_keys(connection: sqlite3.Connection, keys: Iterable[Key]) -> dict[Key, Row]:
    """Return the records under ``keys``, as far as there are any."""
    query = "SELECT key, version, value FROM record WHERE key = ?"
    found = (connection.execute(query, (key,)).fetchone() for key in keys)
    return {row[0]: Row(*row) for row in found if row is not None}


def is_in_history(connection: sqlite3.Connection, version: Version) -> bool:
    """Tell whether ``version`` is one that was given here (and was no heartbeat since replaced)."""
    found = connection.execute("SELECT 1 FROM history WHERE version = ?", (version,)).fetchone()
    return found is not None


def write_record(
    connection: sqlite3.Connection,
    transaction: Transaction,
    *,
    key: Key,
    version: Version,
    at: str,
    data: bytes | None,
) -> None:
    """Put ``data`` (None: delete) under ``key``, and remember the change in the history."""
    if transaction.heartbeat:
        # Only the newest change of the record, and only if it was a heartbeat itself.
        connection.execute(
            "DELETE FROM history WHERE heartbeat"
            " AND number = (SELECT max(number) FROM history WHERE key = ?)",
            (key,),
        )
    actor, subject = transaction.actor, transaction.subject
    connection.execute(
        "INSERT INTO history (key, version, at, actor, email, subject, heartbeat, value)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (key, version, at, actor.name, actor.email, subject, transaction.heartbeat, data),
    )
    if data is None:
        connection.execute("DELETE FROM record WHERE key = ?", (key,))
    else:
        connection.execute("REPLACE INTO record VALUES (?, ?, ?)", (key, version, data))


def cut_history(connection: sqlite3.Connection, before: str, spare: int) -> int:
    """Forget changes made ``before`` (RFC 3339) of records that are gone; return how many.

    The newest ``spare`` changes stay, whatever the wall clock says: by them a caller who lost an
    answer is told what it did.
    """
    done = connection.execute(
        "DELETE FROM history WHERE at < ?"
        " AND number <= (SELECT max(number) FROM history) - ?"
        " AND NOT EXISTS (SELECT 1 FROM record WHERE record.key = history.key)",
        (before, spare),
    )
    return done.rowcount


def select_history(
    connection: sqlite3.Connection, key: Key | None, limit: int | None
) -> list[Change]:
    """Return the changes of ``key`` (None: of every record), newest first."""
    where = "" if key is None else "WHERE key = :key"
    rows = connection.execute(
        "SELECT key, version, at, actor, subject, value FROM history"
        f" {where} ORDER BY number DESC LIMIT :limit",
        {"key": key, "limit": -1 if limit is None else limit},
    )
    return [
        Change(key, version, at, actor, subject, None if data is None else decode_value(data))
        for key, version, at, actor, subject, data in rows
    ]
