"""The server of the ssh engine under contract, as light as it can be: many are started."""

from __future__ import annotations

import sys
from pathlib import Path

from gitbaton.core.clock import SystemClock
from gitbaton.store.sqlite import SqliteStore
from gitbaton.store.ssh.serving import serve


def make_store(kind: str, path: Path) -> SqliteStore:
    """Return the store to serve: an honest one, or the mutant."""
    if kind == "honest":
        return SqliteStore(path, clock=SystemClock())
    from tests.contract.engines import CarelessSqliteStore

    return CarelessSqliteStore(path, clock=SystemClock())


if __name__ == "__main__":
    store = make_store(sys.argv[1], Path(sys.argv[2]))
    serve(store, sys.stdin.buffer, sys.stdout.buffer, version="test")
