"""SQLite connections that fail when told, and a store that uses them."""

from __future__ import annotations

import os
import signal
import sqlite3
import warnings
from collections.abc import Callable
from typing import Any, ClassVar, Self

from gitbaton.store.sqlite import SqliteStore


class Crash(BaseException):
    """The process is gone at this point. No error handler may hide it."""


class FaultyConnection(sqlite3.Connection):
    """Calls ``strike`` before and after each statement."""

    strike: ClassVar[Callable[[str], None]] = staticmethod(lambda moment: None)

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        word = sql.split()[0]
        FaultyConnection.strike(f"before {word}")
        cursor = super().execute(sql, parameters)
        FaultyConnection.strike(f"after {word}")
        return cursor


class FaultyStore(SqliteStore):
    """The real engine on connections that fail when told."""

    _connection = FaultyConnection


class Faults:
    """Lets a piece of work fail at one of its steps: the step number ``at``, or each ``on``."""

    def __init__(
        self,
        *,
        at: int | None = None,
        on: str | None = None,
        how: Callable[[], None] = lambda: None,
    ) -> None:
        self.moments: list[str] = []
        self._at = at
        self._on = on
        self._how = how

    def __enter__(self) -> Self:
        FaultyConnection.strike = staticmethod(self._strike)
        return self

    def __exit__(self, *_: object) -> None:
        FaultyConnection.strike = staticmethod(lambda moment: None)

    def _strike(self, moment: str) -> None:
        self.moments.append(moment)
        if moment == self._on or len(self.moments) - 1 == self._at:
            self._how()


def crash() -> None:
    """End the piece of work as a crash would, as far as this process is concerned."""
    raise Crash


def kill() -> None:
    """Die on the spot."""
    os.kill(os.getpid(), signal.SIGKILL)


def in_child(work: Callable[[], object]) -> int:
    """Run ``work`` in a forked process; return its exit status, or minus the signal.

    42: it raised an exception.
    """
    with warnings.catch_warnings():
        # Python 3.12 warns of a fork beside threads. Our own gate holds them off meanwhile.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 42
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
