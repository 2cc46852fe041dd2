"""What a client saw last, with its own commits since."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace

from gitbaton.store.model import Delete, Key, Record, Snapshot, Transaction, Version
from gitbaton.store.values import copy_value


class Recollection:
    """Remembers one snapshot: of the prefix that was read last and is no part of another.

    Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._prefix = ""
        self._seen: Snapshot | None = None

    def see(self, prefix: str, snapshot: Snapshot) -> None:
        """Take note of a look."""
        with self._lock:
            if self._seen is None or not prefix.startswith(self._prefix):
                self._prefix, self._seen = prefix, snapshot
                return
            if prefix == self._prefix:
                self._seen = snapshot
                return
            # A part of what is known: the times stay those of the look at all of it.
            old, damaged = self._seen.records, self._seen.damaged
            self._seen = _with(
                self._seen,
                {k: r for k, r in old.items() if not k.startswith(prefix)} | dict(snapshot.records),
                {k: w for k, w in damaged.items() if not k.startswith(prefix)}
                | dict(snapshot.damaged),
            )

    def write(self, transaction: Transaction, versions: Mapping[Key, Version]) -> None:
        """Take note of an own commit."""
        with self._lock:
            if self._seen is None:
                return
            records, damaged = dict(self._seen.records), dict(self._seen.damaged)
            for key, written in transaction.write.items():
                damaged.pop(key, None)
                if isinstance(written, Delete):
                    records.pop(key, None)
                elif key.startswith(self._prefix):
                    records[key] = Record(versions[key], copy_value(written))
            self._seen = _with(self._seen, records, damaged)

    def recall(self, prefix: str) -> Snapshot | None:
        """Return what is remembered of ``prefix``; None if it was never looked at as a whole."""
        with self._lock:
            seen = self._seen
            if seen is None or not prefix.startswith(self._prefix):
                return None
        return _with(
            seen,
            {k: r for k, r in seen.records.items() if k.startswith(prefix)},
            {k: w for k, w in seen.damaged.items() if k.startswith(prefix)},
        )


def _with(
    snapshot: Snapshot, records: Mapping[Key, Record], damaged: Mapping[Key, str]
) -> Snapshot:
    return replace(snapshot, records=records, live=records, damaged=damaged)
