"""Processes that a dead worker left behind, found by the mark in their environment.

Normally nothing is found: the guard of an agent ends everything when its worker dies. This is for
the case that the guard itself was killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from typing import Final

import psutil

from gitbaton.core.clock import Clock
from gitbaton.work.guard import MARK as MARK

_STUBBORN: Final = 30.0  # seconds of KILL after which what is left is reported
_PAUSE: Final = 0.05  # seconds between looks


@dataclass(frozen=True, slots=True)
class Sweep:
    """What ``end_strays`` did: the ids of the processes that ended, and of those that would not."""

    ended: tuple[int, ...] = ()
    left: tuple[int, ...] = ()


def find_strays(mark: str) -> list[psutil.Process]:
    """Return the processes started with ``BATON_CLAIM_MARK=mark``, and their descendants.

    An empty mark finds nothing. Not found are other users' processes, and those that cleared their
    environment and whose parent has gone. The calling process is never among them.
    """
    if not mark:
        return []
    children: dict[int, list[psutil.Process]] = {}
    waiting: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            children.setdefault(process.ppid(), []).append(process)
            if process.environ().get(MARK) == mark:
                waiting.append(process)
        except (psutil.Error, OSError):  # gone, a zombie, or not ours
            continue
    found: dict[int, psutil.Process] = {}
    while waiting:
        process = waiting.pop()
        if process.pid not in found:
            found[process.pid] = process
            waiting += children.get(process.pid, [])
    found.pop(os.getpid(), None)
    return list(found.values())


def end_strays(mark: str, *, grace: float, clock: Clock) -> Sweep:
    """End the processes with this mark: TERM, after ``grace`` seconds KILL until none is left.

    Gives up after half a minute of KILL. Only for the mark of a claim whose worker is dead: a
    living one's agents have it too.
    """
    seen: set[int] = set()
    hurried = clock.elapsed() + grace
    while strays := find_strays(mark):
        now = clock.elapsed()
        if now >= hurried + _STUBBORN:
            break
        number = signal.SIGTERM if now < hurried else signal.SIGKILL
        for process in strays:
            if number == signal.SIGKILL or process.pid not in seen:
                with contextlib.suppress(psutil.Error):  # gone, or not ours
                    process.send_signal(number)
        seen |= {process.pid for process in strays}
        clock.sleep(_PAUSE)
    left = {process.pid for process in strays}
    return Sweep(ended=tuple(sorted(seen - left)), left=tuple(sorted(left)))
