"""Names a process so that no other can be taken for it: its number, its start, this boot.

A process number alone is used again. The start time is read from the kernel's own count (ticks
since boot on Linux), which no change of the wall clock moves.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_WITH_PROC = ("linux", "android")


@dataclass(frozen=True, slots=True)
class Process:
    """One process of one boot of one machine (``origin``: see ``Clock.origin``)."""

    pid: int
    start: str
    origin: str

    def to_value(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"pid": self.pid, "start": self.start, "origin": self.origin}

    @staticmethod
    def from_value(value: Mapping[str, Any]) -> Process:
        """Return what ``to_value`` wrote. Raises KeyError for anything else."""
        return Process(int(value["pid"]), str(value["start"]), str(value["origin"]))


def find_process(pid: int, *, origin: str) -> Process | None:
    """Return the process that has the number ``pid`` now, None if there is none (or a zombie)."""
    start = _start(pid) if pid > 0 else None
    return None if start is None else Process(pid, start, origin)


def is_alive(process: Process, *, origin: str) -> bool:
    """Tell whether that very process still runs on this machine, in this boot."""
    return process.origin == origin and find_process(process.pid, origin=origin) == process


def session_leader(*, origin: str) -> Process | None:
    """Return the leader of this process's session: the login shell or agent that we run under.

    None where there is none to be seen (a container, a platform without sessions).
    """
    getsid: Callable[[int], int] | None = getattr(os, "getsid", None)
    return None if getsid is None else find_process(getsid(0), origin=origin)


def _start(pid: int) -> str | None:
    if sys.platform in _WITH_PROC:
        try:
            text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        state, *rest = text.rpartition(")")[2].split()  # the name before it may hold anything
        return None if state in "ZX" else rest[18]  # proc(5): field 22, starttime
    import psutil  # 12 ms: only where the kernel does not tell in a file

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return f"{process.create_time():.2f}"
    except psutil.Error:
        return None
