"""Whether a move was begun somewhere in a clone and not finished. Costs one look at a directory."""

from __future__ import annotations

import os
from pathlib import Path


def moves_directory(clone_state: Path) -> Path:
    """Return the directory of all journals of a clone (see WorkingTree.clone_state)."""
    return clone_state / "moves"


def list_moves(clone_state: Path) -> list[Path]:
    """Return the journals that are not empty: of moves under way, and of killed ones."""
    try:
        names = os.listdir(moves_directory(clone_state))
    except FileNotFoundError:
        return []
    return [moves_directory(clone_state) / name for name in sorted(names) if name.endswith(".json")]
