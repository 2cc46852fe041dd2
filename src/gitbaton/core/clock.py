"""Clocks. Decisions use durations on one observer's clock; wall time is for people (I5)."""

from __future__ import annotations

import functools
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """What the rest of the house may know about time."""

    def elapsed(self) -> float:
        """Return seconds on a clock that never jumps and counts sleep (origin: boot)."""
        ...

    def now(self) -> datetime:
        """Return wall-clock time in UTC. For records that people read, never for a decision."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``."""
        ...

    @property
    def origin(self) -> str:
        """Identify what ``elapsed`` counts from: this machine in this boot.

        Readings with different origins cannot be compared.
        """
        ...


class SystemClock:
    """The machine's own clock: CLOCK_BOOTTIME on Linux, CLOCK_MONOTONIC elsewhere.

    On macOS CLOCK_MONOTONIC goes on while the machine sleeps, as CLOCK_BOOTTIME does on Linux.
    """

    def __init__(self) -> None:
        self._id = getattr(time, "CLOCK_BOOTTIME", None) or getattr(time, "CLOCK_MONOTONIC", None)

    def elapsed(self) -> float:
        return time.monotonic() if self._id is None else time.clock_gettime(self._id)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    @property
    def origin(self) -> str:
        return _origin()


class ManualClock:
    """A clock for tests: it moves only when told, or when somebody sleeps on it."""

    def __init__(
        self, *, start: float = 1000.0, wall: datetime | None = None, origin: str = "test-boot"
    ) -> None:
        self._elapsed = start
        self._offset = (wall or datetime(2026, 1, 1, tzinfo=UTC)).timestamp() - start
        self._origin = origin

    def elapsed(self) -> float:
        return self._elapsed

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._elapsed + self._offset, UTC)

    def sleep(self, seconds: float) -> None:
        self._elapsed += seconds

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass on both clocks."""
        self._elapsed += seconds

    def jump_wall(self, seconds: float) -> None:
        """Set the wall clock forward or back, as NTP or a user does; ``elapsed`` is not moved."""
        self._offset += seconds

    @property
    def origin(self) -> str:
        return self._origin


def rfc3339(moment: datetime) -> str:
    """Return ``moment`` as RFC 3339 in UTC with whole seconds, e.g. ``2026-05-07T03:12:00Z``."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def parse_rfc3339(text: str) -> datetime:
    """Return the moment that ``rfc3339`` wrote; raise ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    return moment.astimezone(UTC)


@functools.cache
def _origin() -> str:
    return f"{_machine_id()}/{_boot_id()}"


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        pass
    if sys.platform == "darwin":
        asked = subprocess.run(
            ["sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True, check=False
        )
        if asked.returncode == 0 and asked.stdout.strip():
            return asked.stdout.strip()
    # Without a boot id a saved reading is worth nothing: give one that never matches again.
    return f"process-{uuid.uuid4().hex}"


def _machine_id() -> str:
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            text = Path(path).read_text().strip()
        except OSError:
            continue
        if text:
            return text
    return f"{uuid.getnode():012x}"
