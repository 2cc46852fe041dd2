"""The store on SQLite: every commit is one immediate transaction of the database.

What a kill, a crash or a power cut leaves is the state before or after a commit, never between
(WAL, ``synchronous=FULL``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.errors import BatonError, DamagedRecord, HostRefused, Refused
from gitbaton.core.ids import new_nonce
from gitbaton.store.choosing import commit_in_turn
from gitbaton.store.conflicts import stale_keys
from gitbaton.store.model import (
    ABSENT,
    Absent,
    Change,
    Choice,
    Committed,
    Conflict,
    Delete,
    Key,
    Outcome,
    Record,
    Rejected,
    Snapshot,
    Transaction,
    Unknown,
    Version,
)
from gitbaton.store.mover import BranchMover
from gitbaton.store.protocol import TidyReport
from gitbaton.store.sqlite.pool import ConnectionPool
from gitbaton.store.sqlite.tables import (
    Row,
    select_history,
    select_keys,
    select_prefix,
    write_record,
)
from gitbaton.store.values import decode_value, encode_writes

_Encoded: TypeAlias = tuple[Transaction, Mapping[Key, bytes | Delete]]


class SqliteStore:
    """A store in one file on a local disk, for all threads and processes of this host.

    Transactions that move branches need a ``mover``; without one they raise ValueError. The
    mover is called in the database transaction, after the expectations were found true and
    before COMMIT, so the database's write lock fences it. A crash between the two leaves the
    branch moved and the records as they were: the claim is still current, and its holder's retry
    succeeds because a branch already at its new commit counts as moved.

    Raises Refused (full or read-only disk, a database of a newer gitbaton), DamagedRecord (not
    a database, or not ours) and RemoteUnreachable (locked by others for a minute).
    """

    _connection: type[sqlite3.Connection] = sqlite3.Connection

    def __init__(self, path: Path, *, clock: Clock, mover: BranchMover | None = None) -> None:
        self._clock = clock
        self._mover = mover
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(f"{path} cannot be used: {error.strerror}", code="cannot_open") from error
        self._pool = ConnectionPool(path, factory=self._connection)
        self._pool.run(lambda connection: None)  # so that a bad file is refused here

    def read(self, prefix: str = "") -> Snapshot:
        asked = self._clock.elapsed()
        rows = self._pool.run(lambda connection: select_prefix(connection, prefix))
        answered = self._clock.elapsed()
        records: dict[Key, Record] = {}
        damaged: dict[Key, str] = {}
        for row in rows:
            try:
                records[row.key] = _record(row)
            except DamagedRecord as error:
                damaged[row.key] = error.message
        return Snapshot(records, records, damaged, asked, answered)

    def recall(self, prefix: str = "") -> Snapshot | None:
        return self.read(prefix)

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        if self._mover is None and any(t.moves for t in transactions):
            raise ValueError("this store moves no branches")
        encoded = [(transaction, encode_writes(transaction)) for transaction in transactions]
        outcomes: list[Outcome] = []
        for batch in _batches(encoded):
            try:
                outcomes += self._pool.run(partial(self._apply, batch))
            except BatonError as error:
                if not outcomes:
                    raise
                # Others of this call may be committed: their outcomes must reach the caller.
                outcomes += [Rejected(error.message)] * len(batch)
        return outcomes

    def commit_first(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        return commit_in_turn(self.commit, alternatives, count)

    def history(self, key: Key | None = None, *, limit: int | None = None) -> list[Change]:
        return self._pool.run(lambda connection: select_history(connection, key, limit))

    def tidy(self, *, force: bool = False) -> TidyReport:
        return TidyReport()

    def close(self) -> None:
        self._pool.close()

    def _apply(self, batch: Sequence[_Encoded], connection: sqlite3.Connection) -> list[Outcome]:
        connection.execute("BEGIN IMMEDIATE")
        outcomes = [self._decide(connection, *each) for each in batch]
        try:
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_IOERR_FSYNC":
                raise
            # The commit is in the log but perhaps not on the disk: a power cut may decide.
            return [Unknown(str(error)) if isinstance(o, Committed) else o for o in outcomes]
        return outcomes

    def _decide(
        self,
        connection: sqlite3.Connection,
        transaction: Transaction,
        writes: Mapping[Key, bytes | Delete],
    ) -> Outcome:
        present = select_keys(connection, writes)
        stale = self._stale(transaction, {key: row.version for key, row in present.items()})
        if stale:
            return _conflict(stale, present)
        if transaction.moves and self._mover is not None:
            try:
                moved = self._mover.move(transaction.moves)
            except HostRefused as error:
                return Rejected(error.reason, error.ref)
            if moved:
                return Conflict({}, dict(moved))
        return Committed(self._write(connection, transaction, writes))

    def _stale(self, transaction: Transaction, present: Mapping[Key, Version]) -> list[Key]:
        return stale_keys(transaction.expect, present)

    def _write(
        self,
        connection: sqlite3.Connection,
        transaction: Transaction,
        writes: Mapping[Key, bytes | Delete],
    ) -> dict[Key, Version]:
        at = rfc3339(self._clock.now())
        versions: dict[Key, Version] = {}
        for key, written in writes.items():
            version = Version(new_nonce())
            data = None if isinstance(written, Delete) else written
            write_record(connection, transaction, key=key, version=version, at=at, data=data)
            if data is not None:
                versions[key] = version
        return versions


def _batches(encoded: Sequence[_Encoded]) -> list[Sequence[_Encoded]]:
    """Share one database transaction (one flush to the disk) where nothing is moved.

    What moves branches travels alone: a failure after the move must not take others along.
    """
    if any(transaction.moves for transaction, _ in encoded):
        return [[each] for each in encoded]
    return [encoded]


def _record(row: Row) -> Record:
    return Record(row.version, decode_value(row.data))


def _conflict(stale: Sequence[Key], present: Mapping[Key, Row]) -> Outcome:
    found: dict[Key, Record | Absent] = {}
    for key in stale:
        try:
            found[key] = _record(present[key]) if key in present else ABSENT
        except DamagedRecord as error:
            return Rejected(f"{key} is damaged: {error.message}")
    return Conflict(found)
