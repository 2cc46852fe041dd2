"""Git's own lock of an index, seen from outside: its age, and which git seems to hold it.

Only for people who have waited for it in vain. The lock is a file that does not say whose it is, so
whose it is can be guessed and no more: a git that runs in the same working tree.
"""

from __future__ import annotations

import contextlib
import os
from typing import Final

from msgspec import Struct

from gitbaton.core.clock import Clock
from gitbaton.core.durations import format_duration
from gitbaton.core.errors import next_word
from gitbaton.git.workingtree import WorkingTree

_OF_OTHERS: Final = ("cat-file", "update-ref")  # of our own commits: they write no index


class Suspect(Struct, frozen=True):
    """A git that seems to hold a lock: its process and what it does (``git commit``)."""

    pid: int
    command: str


def describe_age(tree: WorkingTree, clock: Clock) -> str:
    """Return for how long the index of ``tree`` has been locked, in words; empty: it is not now."""
    try:
        made = os.stat(tree.git_dir / "index.lock").st_mtime
    except OSError:
        return ""
    # By the time of files, which is this machine's: a guess for people, no decision.
    return f", for {format_duration(max(round(clock.now().timestamp() - made), 0))}"


def find_suspect(tree: WorkingTree) -> Suspect | None:
    """Return the git that runs in ``tree`` and may write its index; None: none can be seen."""
    import psutil  # 12 ms: only for this

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # gone, or another user's
            words = process.cmdline()
            if not words or os.path.basename(words[0]) != "git":
                continue
            verb = next_word(words)
            if verb not in _OF_OTHERS and _is_in(process.cwd(), tree):
                return Suspect(process.pid, f"git {verb}")
    return None


def _is_in(directory: str, tree: WorkingTree) -> bool:
    top = os.fspath(tree.top)
    return directory == top or directory.startswith(top + os.sep)
