"""The store on SQLite: every commit is one immediate transaction of the database.

What a kill, a crash or a power cut leaves is the state before or after a commit, never between
(WAL, ``synchronous=FULL``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.errors import BatonError, DamagedRecord, HostRefused, Refused
from gitbaton.core.ids import Nonce, new_nonce
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
    Spared,
    Transaction,
    Unknown,
    Version,
)
from gitbaton.store.mover import BranchMover
from gitbaton.store.protocol import TidyReport
from gitbaton.store.sqlite.pool import ConnectionPool
from gitbaton.store.sqlite.tables import (
    Row,
    cut_history,
    is_in_history,
    select_history,
    select_keys,
    select_prefix,
    write_record,
)
from gitbaton.store.values import decode_value, encode_writes

_AT_ONCE = 8  # alternatives that are made before the first is tried


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
            if not path.exists():
                path.touch()  # by the umask: SQLite would keep it from a group that shares it
        except OSError as error:
            raise Refused(
                f"{path} cannot be used: {error.strerror}",
                code="cannot_open",
                next=f"ls -ld {path.parent}",
            ) from error
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
        return self.commit_as([None] * len(transactions), transactions)

    def commit_as(
        self, names: Sequence[Nonce | None], transactions: Sequence[Transaction]
    ) -> list[Outcome]:
        """Commit as ``commit`` does, each transaction under its name (None: one of its own).

        One that has been committed under its name is not done again, and answered as it was then.
        So whoever lost an answer may ask again, even while the first try is still under way. Of
        heartbeats that is not known for sure: the next heartbeat replaces what is remembered.
        """
        outcomes: list[Outcome] = []
        for batch in _batches(self._wishes(names, transactions)):
            try:
                outcomes += self._pool.run(partial(self._apply, batch))
            except BatonError as error:
                if not outcomes:
                    raise
                # Others of this call may be committed: their outcomes must reach the caller.
                outcomes += [Rejected(error.message)] * len(batch)
        return outcomes

    def commit_first(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        choices: list[Choice] = []
        left = count
        for start in range(0, len(alternatives), _AT_ONCE):
            if left <= 0:
                break
            try:
                now = self._commit_some(alternatives[start : start + _AT_ONCE], left)
            except BatonError:
                if left == count:
                    raise
                break  # some are committed: those must reach the caller
            choices += now
            left -= sum(isinstance(choice, Committed | Unknown) for choice in now)
        return choices + [Spared()] * (len(alternatives) - len(choices))

    def _commit_some(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        if any(transaction.moves for transaction in alternatives):
            return commit_in_turn(self.commit, alternatives, count)
        return self.commit_first_as([None] * len(alternatives), alternatives, count)

    def commit_first_as(
        self, names: Sequence[Nonce | None], alternatives: Sequence[Transaction], count: int
    ) -> list[Choice]:
        """Choose as ``commit_first`` does, of named transactions that move nothing.

        See ``commit_as``. It is one transaction of the database, so who asks again finds either
        all that the first try chose, or nothing of it.
        """
        return self._pool.run(partial(self._apply_first, self._wishes(names, alternatives), count))

    def history(self, key: Key | None = None, *, limit: int | None = None) -> list[Change]:
        return self._pool.run(lambda connection: select_history(connection, key, limit))

    def cut_history(self, *, older_than: float, spare: int = 1000) -> int:
        """Forget changes of records that are gone, ``older_than`` seconds old; return how many.

        Of records that are there all is kept, and the newest ``spare`` changes of any. By the wall
        clock of this machine alone, which wrote those times too.
        """
        before = rfc3339(self._clock.now() - timedelta(seconds=older_than))
        return self._pool.run(partial(_cut, before, spare))

    def tidy(self, *, force: bool = False) -> TidyReport:
        return TidyReport()

    def close(self) -> None:
        self._pool.close()

    def _wishes(
        self, names: Sequence[Nonce | None], transactions: Sequence[Transaction]
    ) -> list[_Wish]:
        if self._mover is None and any(t.moves for t in transactions):
            raise ValueError("this store moves no branches")
        return [
            _Wish(name, transaction, encode_writes(transaction))
            for name, transaction in zip(names, transactions, strict=True)
        ]

    def _apply(self, batch: Sequence[_Wish], connection: sqlite3.Connection) -> list[Outcome]:
        connection.execute("BEGIN IMMEDIATE")
        outcomes = [self._decide(connection, wish) for wish in batch]
        doubt = _finish(connection)
        return [doubt if doubt and isinstance(o, Committed) else o for o in outcomes]

    def _apply_first(
        self, wishes: Sequence[_Wish], count: int, connection: sqlite3.Connection
    ) -> list[Choice]:
        connection.execute("BEGIN IMMEDIATE")
        left = count - sum(_is_done(connection, wish) for wish in wishes)
        choices: list[Choice] = []
        for wish in wishes:
            if _is_done(connection, wish):
                choices.append(Committed(wish.versions()))
            elif left > 0:
                choices.append(self._decide(connection, wish))
                left -= isinstance(choices[-1], Committed)
            else:
                choices.append(Spared())
        doubt = _finish(connection)
        return [doubt if doubt and isinstance(c, Committed) else c for c in choices]

    def _decide(self, connection: sqlite3.Connection, wish: _Wish) -> Outcome:
        transaction, writes = wish.transaction, wish.writes
        if _is_done(connection, wish):
            return Committed(wish.versions())
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
        return Committed(self._write(connection, wish))

    def _stale(self, transaction: Transaction, present: Mapping[Key, Version]) -> list[Key]:
        return stale_keys(transaction.expect, present)

    def _write(self, connection: sqlite3.Connection, wish: _Wish) -> Mapping[Key, Version]:
        at = rfc3339(self._clock.now())
        named = wish if wish.name is not None else replace(wish, name=new_nonce())
        for number, (key, written) in enumerate(wish.writes.items()):
            write_record(
                connection,
                wish.transaction,
                key=key,
                version=named.version(number),
                at=at,
                data=None if isinstance(written, Delete) else written,
            )
        return named.versions()


@dataclass(frozen=True, slots=True)
class _Wish:
    """A transaction with its values as bytes, under the name from which its versions are made."""

    name: Nonce | None
    transaction: Transaction
    writes: Mapping[Key, bytes | Delete]

    def version(self, number: int) -> Version:
        """Return the version of the key with this number among those written."""
        return Version(f"{self.name}.{number}")

    def versions(self) -> dict[Key, Version]:
        """Return the new version of every key that is not deleted."""
        return {
            key: self.version(number)
            for number, (key, written) in enumerate(self.writes.items())
            if not isinstance(written, Delete)
        }


def _cut(before: str, spare: int, connection: sqlite3.Connection) -> int:
    connection.execute("BEGIN IMMEDIATE")
    cut = cut_history(connection, before, spare)
    connection.execute("COMMIT")
    return cut


def _batches(wishes: Sequence[_Wish]) -> list[Sequence[_Wish]]:
    """Share one database transaction (one flush to the disk) where nothing is moved.

    What moves branches travels alone: a failure after the move must not take others along.
    """
    if any(wish.transaction.moves for wish in wishes):
        return [[wish] for wish in wishes]
    return [wishes]


def _is_done(connection: sqlite3.Connection, wish: _Wish) -> bool:
    """Tell whether ``wish`` has been committed under its name before."""
    return wish.name is not None and is_in_history(connection, wish.version(0))


def _finish(connection: sqlite3.Connection) -> Unknown | None:
    """Commit; return what is then in doubt, if anything is."""
    try:
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname != "SQLITE_IOERR_FSYNC":
            raise
        # The commit is in the log but perhaps not on the disk: a power cut may decide.
        return Unknown(str(error))
    return None


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
