"""Who may change where history ends in a repository, and how what a killed git left is told.

Git makes ``shallow.lock`` when such a fetch begins and keeps it until the fetch is over, however
slow the network is; killed, it leaves it, and every later fetch fails. Whether somebody is still at
work cannot be read off the file. So whoever runs such a git shares an flock(2), which git inherits:
it ends with the last of them. Who can have it alone knows that what stands there is nobody's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from gitbaton.core.errors import Refused
from gitbaton.core.flock import lock_now, share

Inherited: TypeAlias = tuple[int, ...]

_USERS: Final = "shallow.users"


class ShallowLock:
    """The lock of the file ``shallow`` in ``git_dir``, as git makes it."""

    def __init__(self, git_dir: Path) -> None:
        self.path = git_dir / "shallow.lock"
        self._users = git_dir / _USERS

    @contextmanager
    def used(self) -> Iterator[Inherited]:
        """Be one of those who may have it. Give the descriptors that git must inherit.

        Where a file system or a system has no flock(2), there are none, and nothing is cleared.
        """
        handle = self._open()
        try:
            yield (handle,) if _succeeds(share, handle) else ()
        finally:
            os.close(handle)

    def clear(self) -> bool:
        """Remove it if it is nobody's; return whether it is gone."""
        if not self.path.exists():
            return True
        handle = self._open()
        try:
            if not _succeeds(lock_now, handle):
                return False
            self.path.unlink(missing_ok=True)
            return True
        finally:
            os.close(handle)

    def _open(self) -> int:
        return os.open(self._users, os.O_RDWR | os.O_CREAT, 0o666)


def _succeeds(lock: Callable[[int], bool], handle: int) -> bool:
    try:
        return lock(handle)
    except (OSError, Refused):
        return False
