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

    path: str
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
            laid, folders = self._fill(str(making), str(directory), tree)
            for folder in folders:
                os.chmod(folder, 0o555)
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

    def _fill(
        self, making: str, final: str, tree: Oid
    ) -> tuple[dict[tuple[str, Oid], _Laid], set[str]]:
        """Fill the directory ``making``, which will be ``final``; return its files and folders.

        Paths are texts here: a world may have ten thousand documents, and each frame links them.
        """
        laid: dict[tuple[str, Oid], _Laid] = {}
        wanted: list[tuple[str, Oid]] = []
        folders = {making}
        for name, oid in _safe_files(self._objects, tree):
            target = f"{making}/{name}"
            folder = os.path.dirname(target)
            if folder not in folders:
                os.makedirs(folder, exist_ok=True)
                while folder not in folders:
                    folders.add(folder)
                    folder = os.path.dirname(folder)
            known = self._files.get((name, oid))
            if known is not None and _link(known, target):
                laid[name, oid] = _Laid(f"{final}/{name}", known.size, known.written)
            else:
                wanted.append((name, oid))
        for start in range(0, len(wanted), _BATCH):
            part = wanted[start : start + _BATCH]
            bodies = self._objects.read_many([oid for _, oid in part])
            for (name, oid), (_, body) in zip(part, bodies, strict=True):
                written = _write(f"{making}/{name}", body)
                laid[name, oid] = _Laid(f"{final}/{name}", len(body), written)
        return laid, folders


def _safe_files(objects: ObjectStore, tree: Oid) -> Iterator[tuple[str, Oid]]:
    """Yield the files of ``tree``. Git itself does not keep ``..`` out of a pushed tree (I8)."""
    for name, oid in walk_files(objects, tree):
        parts = name.split("/")
        if any(part in ("", ".", "..") or "\\" in part for part in parts):
            raise BatonError(f"the world has a file named {name!r}, which would leave its place")
        yield name, oid


def _write(path: str, body: bytes) -> int:
    """Write a new file that nobody is to change; return when that was (ns)."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    with os.fdopen(handle, "wb") as file:
        file.write(body)
        file.flush()
        return os.fstat(handle).st_mtime_ns


def _link(known: _Laid, target: str) -> bool:
    """Give an old file a second name, unless somebody has written to it or taken it away."""
    try:
        now = os.stat(known.path)
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
