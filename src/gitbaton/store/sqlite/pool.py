"""Connections to one database, and what SQLite's errors mean."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from gitbaton.core.errors import BatonError, DamagedRecord, Refused, RemoteUnreachable
from gitbaton.store.sqlite.forks import GATE
from gitbaton.store.sqlite.schema import upgrade

PATIENCE: Final = 60.0
"""Seconds for which a database that others hold locked is asked again."""

_BUSY_TIMEOUT = 5.0
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_DENIED = {
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_CANTOPEN: "cannot_open",
    sqlite3.SQLITE_PERM: "cannot_open",
    sqlite3.SQLITE_IOERR: "io_error",
}

_T = TypeVar("_T")


class ConnectionPool:
    """Lends one connection to each piece of work; as many are open as work at once.

    Thread-safe, and safe to use on both sides of a fork.
    """

    def __init__(
        self, path: Path, *, factory: type[sqlite3.Connection] = sqlite3.Connection
    ) -> None:
        self._path = path
        self._factory = factory
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        GATE.watch(self)

    def run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Return ``work(connection)``, begun anew while other processes hold the database.

        ``work`` may run several times: what it did to the database and did not commit is undone.
        Raises RemoteUnreachable after ``PATIENCE`` seconds, Refused for a full disk and the
        like, DamagedRecord for a damaged database.
        """
        # Real time, not the injected clock: this continues SQLite's own wait, which knows no other.
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                with GATE.working():
                    return self._try(work)
            except sqlite3.Error as error:
                if _primary(error) not in _LOCKED or time.monotonic() > give_up:
                    raise translate(error, self._path) from error
            time.sleep(random.uniform(0.001, 0.05))

    def close_idle(self) -> None:
        """Close the connections that nobody is using; more are opened when needed."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def close(self) -> None:
        """Close all connections, those in use as soon as they are handed back."""
        with GATE.working():
            self._closed = True
            self.close_idle()

    def _try(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        connection = self._take()
        try:
            result = work(connection)
        except BaseException:
            connection.close()  # rolls back, and nobody meets a connection in an unknown state
            raise
        self._give_back(connection)
        return result

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise ValueError(f"the store {self._path} is closed")
            if self._idle:
                return self._idle.pop()
        connection = sqlite3.connect(
            self._path,
            timeout=_BUSY_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
            factory=self._factory,
        )
        try:
            connection.execute("PRAGMA synchronous = FULL")
            upgrade(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed and not connection.in_transaction:
                self._idle.append(connection)
                return
        connection.close()


def translate(error: sqlite3.Error, path: Path) -> BatonError:
    """Return what ``error`` means to somebody who does not know that there is SQLite."""
    code = _primary(error)
    if code in _LOCKED:
        return RemoteUnreachable(
            f"{path} has been locked by other processes for {PATIENCE:g} s",
            next="the same command again",
        )
    if code in _DAMAGED:
        return DamagedRecord(
            f"{path} is damaged: {error}",
            next=f"save what can be read (sqlite3 {path} .recover), then move it away",
        )
    if code in _DENIED:
        return Refused(
            f"{path} cannot be used: {error}", code=_DENIED[code], next=f"ls -l {path}; df {path}"
        )
    return BatonError(f"{path}: {error}", next=f"ls -l {path}")


def _primary(error: sqlite3.Error) -> int:
    """Return the result code without its extension (https://www.sqlite.org/rescode.html)."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
