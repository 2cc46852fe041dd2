"""Waiting until something may have changed: files that are touched, or just a while."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from gitbaton.core.clock import Clock

STEP: Final = 0.1
"""Seconds between two glances at the files; a glance costs some microseconds."""

LOOK: Final = 5.0
"""Seconds after which a full look is due in any case: leases run out without touching a file."""

_Mark: TypeAlias = tuple[tuple[int, int, int] | None, ...]


class Bell(Protocol):
    """Something that can be waited for."""

    def arm(self) -> None:
        """Begin to listen; what is looked at afterwards is not missed."""
        ...

    def rung(self) -> bool:
        """Tell whether something may have changed since ``arm``."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait until something may have changed since ``arm``, at most ``seconds``."""
        ...


class FileBell:
    """Rings when one of ``paths`` is made, changed or replaced."""

    def __init__(self, paths: Sequence[Path], clock: Clock) -> None:
        self._paths, self._clock = paths, clock
        self._mark: _Mark = ()

    def arm(self) -> None:
        self._mark = self._glance()

    def rung(self) -> bool:
        return self._glance() != self._mark

    def wait(self, seconds: float) -> None:
        end = self._clock.elapsed() + min(seconds, LOOK)
        while (left := end - self._clock.elapsed()) > 0 and not self.rung():
            self._clock.sleep(min(left, STEP))

    def _glance(self) -> _Mark:
        return tuple(_stat(path) for path in self._paths)


class Pause:
    """Rings after ``interval`` seconds: for an inbox whose files are elsewhere."""

    def __init__(self, clock: Clock, *, interval: float = 1.0) -> None:
        self._clock, self._interval = clock, interval
        self._due = clock.elapsed()

    def arm(self) -> None:
        self._due = self._clock.elapsed() + self._interval

    def rung(self) -> bool:
        return self._clock.elapsed() >= self._due

    def wait(self, seconds: float) -> None:
        self._clock.sleep(min(seconds, self._interval))


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
