"""Keeps the packs of the coordination repository few: each fetch brings one, and none is collected.

What is in them may be reachable from the remote only, so nothing is ever left out (no ``gc``).
"""

from __future__ import annotations

from typing import Final

from gitbaton.git.repository import CoordinationRepository

_MANY: Final = 100  # git looks through them one after the other


def roll_up(repository: CoordinationRepository, *, above: int = _MANY) -> bool:
    """Join packs and loose objects where there are more than ``above`` packs; return whether.

    Reachable or not, all stays (git-repack(1), ``--geometric``; a git before 2.32 has no such
    thing and leaves them). Of several processes one does it. The cost is spread: large packs are
    seldom touched.
    """
    packs = repository.path / "objects" / "pack"
    if not packs.is_dir() or sum(path.suffix == ".pack" for path in packs.iterdir()) <= above:
        return False
    from filelock import FileLock, Timeout  # 20 ms: paid once in a hundred fetches

    try:
        with FileLock(repository.path / "packs.lock", timeout=0):
            joined = repository.git.run("repack", "-d", "-l", "-q", "--geometric=2", check=False)
    except Timeout:
        return False
    return joined.status == 0
