"""A directory that holds the files of a tree, read-only, and can become that of another tree.

Only what differs is removed and written. What a stream did to the directory, although it is
read-only, differs as well: a file is known by its size and times (as git's index knows one).
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from gitbaton.core.ids import Oid
from gitbaton.git.objectstore import ObjectStore

_BATCH: Final = 256  # documents that are read from git at a time
_SEALED: Final = 0o555


class _File(NamedTuple):
    """A file as it was written: who touches it afterwards changes one of these."""

    oid: Oid
    mode: int
    size: int
    written: int
    changed: int


class Layout:
    """One directory and what was laid in it. For one thread.

    Every step may raise OSError; then the directory is of no use any more. Paths are texts here: a
    world may have ten thousand documents.
    """

    def __init__(self, place: Path) -> None:
        """Make the directory ``place``."""
        place.mkdir(parents=True)
        self.place = place
        self._files: dict[str, _File] = {}
        self._folders = {""}
        self._open = {""}  # the folders that are not read-only now

    def move(self, place: Path) -> None:
        """Give the directory another name, in one step."""
        self.place.rename(place)
        self.place = place

    def check(self) -> None:
        """Remove everything that is not as it was laid. Takes a look at every file."""
        if self.place.is_symlink():
            raise NotADirectoryError(f"{self.place} is a link")
        self._files = dict(self._scan())
        self._folders = {name for name in self._folders if os.path.isdir(self._path(name))}
        self._seal()

    def change(self, wanted: Mapping[str, Oid], objects: ObjectStore) -> None:
        """Lay the files ``wanted`` (path -> blob; none leads out) and nothing else.

        Raises MissingObject too.
        """
        gone = [n for n, file in self._files.items() if wanted.get(n) != file.oid]
        for name in gone:
            self._open_folder(_above(name))
            os.unlink(self._path(name))
            del self._files[name]
        self._remove_folders(self._folders - _folders_of(wanted))
        self._write({n: oid for n, oid in wanted.items() if n not in self._files}, objects)
        self._seal()

    def _scan(self) -> Iterator[tuple[str, _File]]:
        """Yield the files that are as they were laid, and remove the rest."""
        prefixes = [""]
        while prefixes:
            prefix = prefixes.pop()
            folder = prefix.rstrip("/")
            if stat.S_IMODE(os.stat(self._path(folder)).st_mode) != _SEALED:
                self._open_folder(folder)
            with os.scandir(self._path(folder)) as entries:
                found = list(entries)
            for entry in found:
                name = prefix + entry.name
                known = self._files.get(name)
                if known is not None and known == _print(known.oid, _look(entry)):
                    yield name, known
                elif name in self._folders and entry.is_dir(follow_symlinks=False):
                    prefixes.append(f"{name}/")
                else:
                    self._open_folder(folder)
                    remove(entry.path)

    def _remove_folders(self, folders: set[str]) -> None:
        for folder in sorted(folders, reverse=True):  # what is inside comes before what it is in
            self._open_folder(_above(folder))
            os.rmdir(self._path(folder))
        self._folders -= folders
        self._open -= folders

    def _write(self, new: Mapping[str, Oid], objects: ObjectStore) -> None:
        names = list(new)
        for start in range(0, len(names), _BATCH):
            part = names[start : start + _BATCH]
            bodies = objects.read_many([new[name] for name in part])
            for name, (_, body) in zip(part, bodies, strict=True):
                self._open_folder(_above(name))
                self._files[name] = _write(self._path(name), body, new[name])

    def _open_folder(self, folder: str) -> None:
        """Let ``folder`` be written to; make it and those above it if they are not there."""
        if folder in self._open:
            return
        if folder in self._folders:
            os.chmod(self._path(folder), stat.S_IRWXU)
        else:
            self._open_folder(_above(folder))
            os.mkdir(self._path(folder))
            self._folders.add(folder)
        self._open.add(folder)

    def _seal(self) -> None:
        for folder in self._open:
            os.chmod(self._path(folder), _SEALED)
        self._open.clear()

    def _path(self, name: str) -> str:
        return f"{self.place}/{name}" if name else str(self.place)


def remove(path: str) -> None:
    """Remove a file, or a directory whose folders may be read-only; follow nothing.

    Nothing being there is fine. What belongs to somebody else may stay.
    """
    if os.path.islink(path) or not os.path.isdir(path):
        with suppress(FileNotFoundError):
            os.unlink(path)
        return
    for folder in _folders_below(path):
        with suppress(OSError):
            os.chmod(folder, stat.S_IRWXU)
    shutil.rmtree(path, ignore_errors=True)


def _folders_below(top: str) -> Iterator[str]:
    """Yield ``top`` and every folder in it, each before it is looked into."""
    yield top
    for folder, inner, _ in os.walk(top):
        paths = (f"{folder}/{name}" for name in inner)
        yield from (path for path in paths if not os.path.islink(path))


def _folders_of(names: Mapping[str, Oid]) -> set[str]:
    folders = {""}
    for name in names:
        folder = _above(name)
        while folder not in folders:
            folders.add(folder)
            folder = _above(folder)
    return folders


def _above(name: str) -> str:
    return name.rpartition("/")[0]


def _look(entry: os.DirEntry[str]) -> os.stat_result:
    return entry.stat(follow_symlinks=False)


def _write(path: str, body: bytes, oid: Oid) -> _File:
    """Write a new file that nobody is to change."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    with os.fdopen(handle, "wb") as file:
        file.write(body)
        file.flush()
        return _print(oid, os.fstat(handle))


def _print(oid: Oid, found: os.stat_result) -> _File:
    return _File(oid, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
