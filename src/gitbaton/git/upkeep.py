"""Git's own housekeeping, which ``git commit`` starts and plumbing commands do not."""

from __future__ import annotations

import os
from typing import Final

from gitbaton.git.workingtree import WorkingTree

_SAMPLE: Final = "17"  # the directory of loose objects that git itself counts (builtin/gc.c)
_MANY: Final = 27  # in one of 256: as many as git's own default allows, 6,700


def tidy(tree: WorkingTree) -> None:
    """Let git pack loose objects where there are many. It does so in the background."""
    try:
        count = len(os.listdir(tree.common / "objects" / _SAMPLE))
    except OSError:
        return
    if count >= _MANY:
        tree.git.run("maintenance", "run", "--auto", "--quiet", check=False)
