"""The journal: the move that is being made in each working tree, written before it begins.

One file a working tree, all in one directory of the clone: that nothing is to be finished costs a
command one look at a directory that is empty or not there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.safecommit.move import Move
from gitbaton.workspace.safecommit.pending import list_moves, moves_directory


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A move that was begun in the working tree at ``top`` and not seen to its end.

    ``git_dir``: that tree's own. Where it is gone, so is the index that was to follow.
    """

    top: str
    move: Move
    git_dir: str = ""


class Journal(Struct, frozen=True):
    """The journal of one working tree. Whoever writes or clears it holds the tree's lock."""

    tree: WorkingTree

    @property
    def path(self) -> Path:
        """Where this working tree's move is noted."""
        name = hashlib.sha256(os.fsencode(self.tree.git_dir)).hexdigest()[:16]
        return moves_directory(self.tree.clone_state) / f"{name}.json"

    def write(self, move: Move, *, durable: bool = False) -> None:
        """Note ``move``: from here on it is finished or taken back, whoever is killed.

        ``durable``: and after a power cut, too.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".new")  # under the lock there is one writer
        note = Pending(
            top=_written(os.fspath(self.tree.top)),
            move=_respelled(move, _written),
            git_dir=_written(os.fspath(self.tree.git_dir)),
        )
        with temporary.open("wb") as file:
            file.write(msgspec.json.encode(note))
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(self.path)
        if durable:
            _synchronise(self.path.parent)

    def read(self) -> Move | None:
        """Return the move that was begun and not finished; None if there is none.

        A file that a power cut left damaged counts as none: nothing had begun.
        """
        try:
            move = msgspec.json.decode(self.path.read_bytes(), type=Pending).move
        except (OSError, msgspec.DecodeError):
            return None
        return _respelled(move, _read)

    def clear(self) -> None:
        """Forget the move: it is finished or taken back."""
        self.path.unlink(missing_ok=True)
        self.path.with_suffix(".new").unlink(missing_ok=True)  # of a writer that was killed


def _synchronise(directory: Path) -> None:
    """Have the names in ``directory`` written to the disk."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def unfinished(clone_state: Path) -> list[Path]:
    """Return the tops of the working trees of a clone where a move may be unfinished.

    The moves of working trees that git no longer knows are forgotten.
    """
    found = []
    for path in list_moves(clone_state):
        try:
            note = msgspec.json.decode(path.read_bytes(), type=Pending)
        except (OSError, msgspec.DecodeError):
            continue  # gone by now, or damaged by a power cut: see read
        if note.git_dir and not os.path.isdir(_read(note.git_dir)):
            path.unlink(missing_ok=True)
        else:
            found.append(Path(_read(note.top)))
    return found


def _respelled(move: Move, spell: Callable[[str], str]) -> Move:
    return msgspec.structs.replace(move, ref=spell(move.ref), log=spell(move.log))


def _written(name: str) -> str:
    """Return a name as it stands in JSON, which knows no bytes: each of them is one character."""
    return os.fsencode(name).decode("latin-1")


def _read(text: str) -> str:
    return os.fsdecode(text.encode("latin-1"))
