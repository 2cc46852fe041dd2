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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psutil

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


def find_shell(pid: int) -> int:
    """Return the process that ``pid`` was forked from to run a subshell, as in ``$(command)``.

    ``pid`` itself where it is none: a subshell has the very words of the shell that forked it. It
    ends with the command, and the shell does not.
    """
    import psutil  # 12 ms: only whoever starts a session pays for it

    try:
        process = psutil.Process(pid)
        while (parent := process.parent()) is not None and _same_words(process, parent):
            process = parent
    except psutil.Error:
        return pid
    return process.pid


def _same_words(one: psutil.Process, other: psutil.Process) -> bool:
    words = one.cmdline()
    return bool(words) and words == other.cmdline()


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
