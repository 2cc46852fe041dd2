"""The administrator of a git host: removes the locks that a killed receive-pack left behind."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from tests.integration.chaos.assassin import stale_locks

_ROUND = 0.3  # seconds between rounds


class Administrator:
    """Goes his rounds while the block lasts. A lock is stale when no process works in the remote
    that is older than the lock."""

    def __init__(self, remote: Path) -> None:
        self._remote = remote
        self._gone_home = threading.Event()
        self._thread = threading.Thread(target=self._work, name="administrator")
        self.removed: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._gone_home.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._gone_home.wait(_ROUND):
            self.round()

    def round(self) -> None:
        """Remove what is stale now."""
        for lock in stale_locks(self._remote):
            try:
                made = lock.stat().st_mtime
                if not any(born <= made for born in self._pushes()):
                    lock.unlink()
                    self.removed.append(str(lock.relative_to(self._remote)))
            except FileNotFoundError:
                continue  # its holder was alive and is done

    def _pushes(self) -> list[float]:
        """Return when each process began that works in the remote."""
        found = []
        for process in psutil.process_iter():
            try:
                if Path(process.cwd()) == self._remote:
                    found.append(process.create_time())
            except (psutil.Error, OSError):
                continue
        return found
