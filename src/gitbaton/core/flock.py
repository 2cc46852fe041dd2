"""Locks of the kernel on open files: flock(2). They end with the process that holds them.

A lock belongs to the open file: whoever inherits the descriptor has it too, and whoever opens the
file again in the same process has not.
"""

from __future__ import annotations

from gitbaton.core.errors import Refused


def lock_now(handle: int) -> bool:
    """Lock the open file ``handle`` for this process alone; False where somebody else has it.

    Raises Refused on a system that has no flock(2).
    """
    try:
        from fcntl import LOCK_EX, LOCK_NB, flock
    except ModuleNotFoundError as error:  # Windows: what imports this must still be importable
        raise Refused(
            "this system has no flock(2), which keeps commits from one working tree apart",
            code="unsupported",
            next="run it on Linux or macOS, or in WSL; git commit works everywhere",
        ) from error
    try:
        flock(handle, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    return True


def share(handle: int) -> bool:
    """Lock the open file ``handle`` together with all who share it; return True.

    Waits while somebody has it alone. Raises Refused on a system that has no flock(2).
    """
    try:
        from fcntl import LOCK_SH, flock
    except ModuleNotFoundError as error:
        raise Refused(
            "this system has no flock(2)",
            code="unsupported",
            next="run it on Linux or macOS, or in WSL",
        ) from error
    flock(handle, LOCK_SH)
    return True
