"""The world on disk: for each frame a directory of read-only files, for the streams to read.

What did not change from one frame to the next is one file with two names (a hard link), so a frame
that touches 3 of 10,000 documents writes 3. A stream that still reads the frame before keeps its
directory as it was.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from gitbaton.core.errors import BatonError
from gitbaton.core.ids import Oid
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.trees import walk_files

_BATCH = 256  # documents that are read from git at a time


@dataclass(frozen=True, slots=True)
class _Laid:
    """A file as it was laid: by size and time one is known that was written to since."""

    path: Path
    size: int
    written: int


class Shelf:
    """The worlds of one worker's frames, below ``root``. For one thread."""

    def __init__(self, root: Path, objects: ObjectStore) -> None:
        self._root = root
        self._objects = objects
        self._files: dict[tuple[str, Oid], _Laid] = {}

    def lay(self, frame: int, tree: Oid) -> Path:
        """Return the directory that holds the files of ``tree``; make it if need be.

        Raises BatonError when the disk is full or a name in the tree would leave the directory.
        """
        directory = self._root / f"frame-{frame}-{tree[:12]}"
        if directory.is_dir():
            return directory
        making = self._root / f"making-{os.getpid()}"
        try:
            _remove(making)
            making.mkdir(parents=True)
            laid = self._fill(making, directory, tree)
            for folder in (making, *(p for p in making.rglob("*") if p.is_dir())):
                folder.chmod(0o555)
            making.rename(directory)
        except OSError as error:
            raise BatonError(
                f"the world cannot be laid out in {self._root}: {error.strerror}",
                next="make room on the disk",
            ) from error
        self._files = laid
        return directory

    def clear(self, keep: Collection[Path] = ()) -> None:
        """Remove what is on the shelf but for the directories ``keep``."""
        if self._root.is_dir():
            for path in self._root.iterdir():
                if path not in keep:
                    _remove(path)

    def _fill(self, making: Path, final: Path, tree: Oid) -> dict[tuple[str, Oid], _Laid]:
        laid: dict[tuple[str, Oid], _Laid] = {}
        wanted: list[tuple[str, Oid]] = []
        for name, oid in _safe_files(self._objects, tree):
            target = making / name
            target.parent.mkdir(parents=True, exist_ok=True)
            known = self._files.get((name, oid))
            if known is not None and _link(known, target):
                laid[name, oid] = _Laid(final / name, known.size, known.written)
            else:
                wanted.append((name, oid))
        for start in range(0, len(wanted), _BATCH):
            part = wanted[start : start + _BATCH]
            bodies = self._objects.read_many([oid for _, oid in part])
            for (name, oid), (_, body) in zip(part, bodies, strict=True):
                target = making / name
                target.write_bytes(body)
                target.chmod(0o444)
                laid[name, oid] = _Laid(final / name, len(body), target.stat().st_mtime_ns)
        return laid


def _safe_files(objects: ObjectStore, tree: Oid) -> Iterator[tuple[str, Oid]]:
    """Yield the files of ``tree``. Git itself does not keep ``..`` out of a pushed tree (I8)."""
    for name, oid in walk_files(objects, tree):
        parts = name.split("/")
        if any(part in ("", ".", "..") or "\\" in part for part in parts):
            raise BatonError(f"the world has a file named {name!r}, which would leave its place")
        yield name, oid


def _link(known: _Laid, target: Path) -> bool:
    """Give an old file a second name, unless somebody has written to it or taken it away."""
    try:
        now = known.path.stat()
        if (now.st_size, now.st_mtime_ns) != (known.size, known.written):
            return False
        os.link(known.path, target)
    except OSError:  # it has gone, or the file system knows no hard links
        return False
    return True


def _remove(path: Path) -> None:
    """Remove a directory whose folders may be read-only."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    for folder, _, _ in os.walk(path):
        os.chmod(folder, stat.S_IRWXU)
    shutil.rmtree(path, ignore_errors=True)
