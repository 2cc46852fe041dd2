"""The journal: the move that is being made in each working tree, written before it begins.

One file a working tree, all in one directory of the clone: that nothing is to be finished costs a
command one look at a directory that is empty or not there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.safecommit.move import Move


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A move that was begun in the working tree at ``top`` and not seen to its end."""

    top: str
    move: Move


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal of one working tree. Whoever writes or clears it holds the tree's lock."""

    tree: WorkingTree

    @property
    def path(self) -> Path:
        """Where this working tree's move is noted."""
        name = hashlib.sha256(os.fsencode(self.tree.git_dir)).hexdigest()[:16]
        return moves_directory(self.tree.clone_state) / f"{name}.json"

    def write(self, move: Move) -> None:
        """Note ``move``: from here on it is finished or taken back, whoever is killed."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".new")  # under the lock there is one writer
        temporary.write_bytes(
            msgspec.json.encode(Pending(top=os.fsdecode(self.tree.top), move=move))
        )
        temporary.replace(self.path)

    def read(self) -> Move | None:
        """Return the move that was begun and not finished; None if there is none.

        A file that a power cut left damaged counts as none: nothing had begun.
        """
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Pending).move
        except (OSError, msgspec.DecodeError):
            return None

    def clear(self) -> None:
        """Forget the move: it is finished or taken back."""
        self.path.unlink(missing_ok=True)
        self.path.with_suffix(".new").unlink(missing_ok=True)  # of a writer that was killed


def moves_directory(clone_state: Path) -> Path:
    """Return the directory of all journals of a clone (see WorkingTree.clone_state)."""
    return clone_state / "moves"


def unfinished(clone_state: Path) -> Sequence[Path]:
    """Return the tops of the working trees of a clone where a move may be unfinished."""
    try:
        names = sorted(os.listdir(moves_directory(clone_state)))
    except FileNotFoundError:
        return ()
    found = []
    for name in names:
        if not name.endswith(".json"):
            continue
        try:
            data = (moves_directory(clone_state) / name).read_bytes()
            found.append(Path(msgspec.json.decode(data, type=Pending).top))
        except (OSError, msgspec.DecodeError):
            continue  # being written, or gone by now
    return found
