"""The engine for tests and trials: records in this process, gone with it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.errors import BatonError, HostRefused
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
    Version,
)
from gitbaton.store.mover import BranchMover
from gitbaton.store.protocol import TidyReport
from gitbaton.store.values import decode_value, encode_writes


class MemoryStore:
    """A store in this process's memory. Thread-safe; not shared with other processes.

    Transactions that move branches need a ``mover``; without one they raise ValueError.
    """

    def __init__(self, *, clock: Clock, mover: BranchMover | None = None) -> None:
        self._clock = clock
        self._mover = mover
        self._lock = threading.RLock()
        self._records: dict[Key, _Stored] = {}
        self._history: list[_Entry] = []

    def read(self, prefix: str = "") -> Snapshot:
        asked = self._clock.elapsed()
        with self._lock:
            found = {key: kept for key, kept in self._records.items() if key.startswith(prefix)}
        records = {key: found[key].record() for key in sorted(found)}
        return Snapshot(records=records, live=records, asked=asked, answered=self._clock.elapsed())

    def recall(self, prefix: str = "") -> Snapshot | None:
        return self.read(prefix)

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        if self._mover is None and any(t.moves for t in transactions):
            raise ValueError("this store moves no branches")
        writes = [encode_writes(transaction) for transaction in transactions]
        outcomes: list[Outcome] = []
        for transaction, written in zip(transactions, writes, strict=True):
            try:
                outcomes.append(self._apply(transaction, written))
            except BatonError as error:
                if not outcomes:
                    raise
                # Others of this call may be committed: their outcomes must reach the caller.
                outcomes.append(Rejected(error.message))
        return outcomes

    def commit_first(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        return commit_in_turn(self.commit, alternatives, count)

    def history(self, key: Key | None = None, *, limit: int | None = None) -> list[Change]:
        with self._lock:
            entries = [e for e in reversed(self._history) if key is None or e.key == key]
        return [entry.change() for entry in entries[:limit]]

    def tidy(self, *, force: bool = False) -> TidyReport:
        return TidyReport()

    def close(self) -> None:
        pass

    def _apply(self, transaction: Transaction, writes: Mapping[Key, bytes | Delete]) -> Outcome:
        with self._lock:
            present = {k: self._records[k].version for k in writes if k in self._records}
            stale = self._stale(transaction, present)
            if stale:
                return Conflict({key: self._found(key) for key in stale})
            if transaction.moves and self._mover is not None:
                try:
                    moved = self._mover.move(transaction.moves)
                except HostRefused as error:
                    return Rejected(error.reason, error.ref)
                if moved:
                    return Conflict({}, dict(moved))
            return Committed(self._write(transaction, writes))

    def _stale(self, transaction: Transaction, present: Mapping[Key, Version]) -> list[Key]:
        return stale_keys(transaction.expect, present)

    def _found(self, key: Key) -> Record | Absent:
        kept = self._records.get(key)
        return ABSENT if kept is None else kept.record()

    def _write(
        self, transaction: Transaction, writes: Mapping[Key, bytes | Delete]
    ) -> dict[Key, Version]:
        at = rfc3339(self._clock.now())
        versions: dict[Key, Version] = {}
        for key, written in writes.items():
            version = Version(new_nonce())
            data = None if isinstance(written, Delete) else written
            if transaction.heartbeat:
                self._forget_heartbeat(key)
            self._history.append(_Entry(key, version, at, transaction, data))
            if data is None:
                del self._records[key]
            else:
                self._records[key] = _Stored(version, data)
                versions[key] = version
        return versions

    def _forget_heartbeat(self, key: Key) -> None:
        for index in reversed(range(len(self._history))):
            if self._history[index].key == key:
                if self._history[index].transaction.heartbeat:
                    del self._history[index]
                return


@dataclass(frozen=True, slots=True)
class _Stored:
    """A record as bytes, so that no caller can change it by changing what it was given."""

    version: Version
    data: bytes

    def record(self) -> Record:
        return Record(self.version, decode_value(self.data))


@dataclass(frozen=True, slots=True)
class _Entry:
    key: Key
    version: Version
    at: str
    transaction: Transaction
    data: bytes | None

    def change(self) -> Change:
        return Change(
            key=self.key,
            version=self.version,
            at=self.at,
            actor=self.transaction.actor.name,
            subject=self.transaction.subject,
            value=None if self.data is None else decode_value(self.data),
        )
