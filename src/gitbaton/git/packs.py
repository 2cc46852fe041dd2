"""Keeps the packs of the coordination repository few: each fetch brings one, and none is collected.

What is in them may be reachable from the remote only, so nothing is ever left out (no ``gc``).
"""

from __future__ import annotations

from typing import Final

from gitbaton.git.repository import CoordinationRepository
from gitbaton.git.shallowlock import ShallowLock

_REPACK: Final = ("repack", "-d", "-l", "-q", "--geometric=2")
_MANY: Final = 100  # git looks through them one after the other


def join(repository: CoordinationRepository) -> bool | None:
    """Join small packs and loose objects, reachable or not; return whether git could.

    None: another process is at it. A geometric repack (git-repack(1); a git before 2.32 has no such
    thing) drops nothing, and old packs go only when the new one is in place: a git process that was
    using one looks for the object again and finds it there. The cost is spread: large packs are
    seldom touched.
    """
    from filelock import FileLock, Timeout  # 20 ms: paid once in a hundred fetches

    try:
        # It looks over the ends of history, too.
        ends = ShallowLock(repository.path)
        with FileLock(repository.path / "packs.lock", timeout=0), ends.used() as inherit:
            joined = repository.git.run(*_REPACK, check=False, inherit=inherit)
    except Timeout:
        return None
    return joined.status == 0


def roll_up(repository: CoordinationRepository, *, above: int = _MANY) -> bool:
    """Join packs and loose objects where there are more than ``above`` packs; return whether."""
    packs = repository.path / "objects" / "pack"
    if not packs.is_dir() or sum(path.suffix == ".pack" for path in packs.iterdir()) <= above:
        return False
    return join(repository) is True
