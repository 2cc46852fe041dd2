"""Where the worktrees of a clone are: beside it, outside of every repository."""

from __future__ import annotations

from pathlib import Path

from gitbaton.git.repository import Clone


def find_place(clone: Clone, configured: str | None) -> Path:
    """Return the directory for worktrees: as ``configured``, else ``<clone>.baton`` beside it.

    From a linked worktree it is the one of the main working tree, so that all of them share it.
    """
    top = main_top(clone)
    return (top / configured).absolute() if configured else top.parent / f"{top.name}.baton"


def main_top(clone: Clone) -> Path:
    """Return the top of the clone's main working tree; of this one where there is none."""
    return clone.common.parent if clone.common.name == ".git" else clone.top
