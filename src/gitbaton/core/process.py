"""Names a process so that no other can be taken for it: its number, its start, this boot.

A process number alone is used again. The start time is read from the kernel's own count (ticks
since boot on Linux), which no change of the wall clock moves. In a container numbers count anew
(pid_namespaces(7)): what is recorded says in which namespace, and a process of another one is
never taken for dead because its number is not seen here.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import psutil

_WITH_PROC = ("linux", "android")
_FIRST_NAMESPACE: Final = "4026531836"  # PROC_PID_INIT_INO in linux/proc_ns.h: it sees all others


@dataclass(frozen=True, slots=True)
class Process:
    """One process of one boot of one machine (``origin``: see ``Clock.origin``).

    ``namespace``: the one that ``pid`` counts in; None where that is not known.
    """

    pid: int
    start: str
    origin: str
    namespace: str | None = None

    def to_value(self) -> dict[str, Any]:
        """Return it as JSON."""
        value = {"pid": self.pid, "start": self.start, "origin": self.origin}
        return value if self.namespace is None else {**value, "namespace": self.namespace}

    @staticmethod
    def from_value(value: Mapping[str, Any]) -> Process:
        """Return what ``to_value`` wrote. Raises KeyError for anything else."""
        namespace = value.get("namespace")
        return Process(
            int(value["pid"]),
            str(value["start"]),
            str(value["origin"]),
            None if namespace is None else str(namespace),
        )


def find_process(pid: int, *, origin: str) -> Process | None:
    """Return the process that has the number ``pid`` now, None if there is none (or a zombie)."""
    start = _start(pid) if pid > 0 else None
    return None if start is None else Process(pid, start, origin, own_namespace())


def same_process(one: Process | None, other: Process | None) -> bool:
    """Tell whether both are the same process. A namespace that one does not name is no difference.

    Records from before namespaces were noted name none.
    """
    if one is None or other is None:
        return one is other
    known = None not in (one.namespace, other.namespace)
    return (one.pid, one.start, one.origin) == (other.pid, other.start, other.origin) and (
        not known or one.namespace == other.namespace
    )


def is_alive(process: Process, *, origin: str) -> bool:
    """Tell whether that very process may still run on this machine, in this boot.

    True also for one that cannot be judged from here (``judge``).
    """
    return judge(process, origin=origin) is not False


def judge(process: Process, *, origin: str) -> bool | None:
    """Tell whether that very process still runs on this machine, in this boot.

    None for one that cannot be judged from here by its number: it is in a container, or we are.
    """
    if _boot(process.origin) != _boot(origin):
        return False
    if process.namespace not in (None, own_namespace()):
        return _judge_elsewhere(process)
    return process.pid > 0 and _start(process.pid) == process.start


@functools.cache
def own_namespace() -> str | None:
    """Return which namespace the process numbers of this process count in; None if unknown."""
    try:
        return str(os.stat("/proc/self/ns/pid").st_ino)
    except OSError:
        return None  # a platform without namespaces


def _boot(origin: str) -> str:
    return origin.rpartition("/")[2]  # a container may have a machine id of its own


def _judge_elsewhere(process: Process) -> bool | None:
    """Tell whether ``process``, of another namespace, runs. Only the first one sees it."""
    if own_namespace() != _FIRST_NAMESPACE or not os.path.exists("/proc/1/status"):
        return None  # the second: a /proc that hides the processes of other users
    return any(
        name.isdigit() and _inner_number(name) == process.pid and _start(int(name)) == process.start
        for name in os.listdir("/proc")
    )


def _inner_number(pid: str) -> int | None:
    """Return the number that ``pid`` has in its own namespace, None if it is gone."""
    try:
        text = Path("/proc", pid, "status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    numbers = text.partition("\nNSpid:")[2].partition("\n")[0].split()  # proc(5): ours comes first
    return int(numbers[-1]) if numbers else None


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
