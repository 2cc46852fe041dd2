"""The world on disk: for each frame a directory of read-only files, for the streams to read.

When the streams of a frame have ended, its directory becomes that of the next frame: a frame that
touches 3 of 10,000 documents writes 3. While a stream may read it, it stays as it is.
"""

from __future__ import annotations

import os
from pathlib import Path

from gitbaton.core.errors import BatonError
from gitbaton.core.ids import Oid
from gitbaton.frames.layout import Layout, remove
from gitbaton.git.entries import FILE
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.safepath import find_unsafe
from gitbaton.git.trees import walk_files


class Shelf:
    """The worlds of one worker's frames, below ``root``. For one thread.

    A world has its name only while it is whole and somebody may read it. Killed between any two
    steps, this leaves directories of other names, or worlds of no use to the next process, which
    begins with ``clear``.
    """

    def __init__(self, root: Path, objects: ObjectStore) -> None:
        self._root = root
        self._objects = objects
        self._last: Layout | None = None
        self._spare: Layout | None = None  # released, and has no name of a world any more

    def lay(self, frame: int, tree: Oid) -> Path:
        """Return the directory that holds the files of ``tree``; make it if need be.

        It stays as it is until it is released. Raises BatonError when the disk is full or a name
        in the tree would leave the directory.
        """
        directory = self._root / f"frame-{frame}-{tree[:12]}"
        if directory.is_dir():
            return directory
        wanted = _safe_files(self._objects, tree)
        try:
            layout = self._take_spare()
            layout.change(wanted, self._objects)
            layout.move(directory)
        except OSError as error:
            raise BatonError(
                f"the world cannot be laid out in {self._root}: {error.strerror}",
                next="make room on the disk",
            ) from error
        self._last = layout
        return directory

    def release(self, world: Path) -> None:
        """Take ``world`` back, which nobody reads any more, and remove all others.

        The next one is made of it. That it is as it was laid is looked at now, file by file, so
        that the next frame need not: best done while others are waited for.
        """
        last, self._last = self._last, None
        self._spare = None
        self._clear(keep=world)
        if last is None or last.place != world:
            return
        try:
            last.move(self._root / f"spare-{os.getpid()}")
            last.check()
        except OSError:  # somebody has been at it: the next is made from nothing
            return
        self._spare = last

    def clear(self) -> None:
        """Remove what is on the shelf."""
        self._last = self._spare = None
        self._clear(keep=None)

    def _take_spare(self) -> Layout:
        """Return a directory that is not a world yet: the spare one if there is."""
        making = self._root / f"making-{os.getpid()}"
        remove(str(making))
        spare, self._spare = self._spare, None
        if spare is None or not spare.place.is_dir():
            return Layout(making)
        spare.move(making)
        return spare

    def _clear(self, keep: Path | None) -> None:
        if self._root.is_dir():
            for path in self._root.iterdir():
                if path != keep:
                    remove(str(path))


def _safe_files(objects: ObjectStore, tree: Oid) -> dict[str, Oid]:
    """Return the files of ``tree``, none of which leads out or makes a repository of the world.

    Git keeps neither ``..`` nor ``.git`` out of a pushed tree; and a stream's own git would obey a
    ``.git/config`` that lies there (I8).
    """
    files = dict(walk_files(objects, tree))
    unsafe = find_unsafe((os.fsencode(name), FILE) for name in files)
    for name in files:
        if "\\" in name or os.fsencode(name) in unsafe:
            raise BatonError(
                f"the world has a file named {name!r}, which would leave its place",
                next="baton frame log",
            )
    return files
