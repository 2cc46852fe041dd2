"""Finds the processes that are at work in a session's worktree, whoever started them.

A session may outlive the process that it was entered with: ``baton`` is killed and the command
goes on, a shell ends and its server does not. They are known by where they stand, or by the
session's own directory in their environment, as far as the system shows that of others.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from gitbaton.core.process import Process, find_process

MARK = "BATON_SESSION_STATE"
"""The variable that tells sessions apart, of other clones too: names may be the same there."""


@dataclass(frozen=True, slots=True)
class Occupant:
    """A process in a worktree, and what its program is called."""

    process: Process
    program: str


def find_occupants(
    place: str, state: str, *, origin: str, callers: bool = False
) -> Iterator[Occupant]:
    """Yield the processes that stand in ``place`` or below, or have ``state`` as their ``MARK``.

    Never this process and what it started, nor, with ``callers``, those that it was started by:
    they know what they do. Not seen: the processes of other users, and of other containers.
    """
    import psutil  # 12 ms: only where a worktree may go

    place = os.path.realpath(place)
    me = psutil.Process()
    apart = {me.pid}
    with contextlib.suppress(psutil.Error):
        apart |= {one.pid for one in me.children(recursive=True)}
        apart |= {one.pid for one in me.parents()} if callers else set()
    for process in psutil.process_iter():
        if process.pid in apart:
            continue
        try:
            if not (_is_in(process.cwd(), place) or process.environ().get(MARK) == state):
                continue
            program = process.name()
        except (psutil.Error, OSError):  # gone, or another user's
            continue
        found = find_process(process.pid, origin=origin)
        if found is not None:
            yield Occupant(found, program)


def _is_in(directory: str, place: str) -> bool:
    return directory == place or directory.startswith(place + os.sep)
