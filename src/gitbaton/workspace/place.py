"""Where the worktrees of a clone are: beside it, outside of every repository."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gitbaton.git.repository import Clone
from gitbaton.workspace.consent import decide


def find_place(clone: Clone, proposed: str | None, settings: Mapping[str, str]) -> Path:
    """Return the directory for the worktrees of ``clone`` (see ``beside``).

    From a linked worktree it is the one of the main working tree, so that all of them share it.
    """
    return beside(main_top(clone), proposed, settings)


def beside(top: Path, proposed: str | None, settings: Mapping[str, str]) -> Path:
    """Return the directory for the worktrees of the clone at ``top``: ``<clone>.baton`` beside it.

    Another one only where this machine has confirmed what ``baton.toml`` has ``proposed``, by
    git's ``settings``; a relative path starts at ``top``. Raises Refused.
    """
    configured = decide("work.worktrees", proposed, settings)
    return (top / configured).absolute() if configured else top.parent / f"{top.name}.baton"


def main_top(clone: Clone) -> Path:
    """Return the top of the clone's main working tree; of this one where there is none."""
    return clone.common.parent if clone.common.name == ".git" else clone.top
