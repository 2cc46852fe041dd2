"""A directory of a working tree, held open while a file in it is made, replaced or removed.

It is reached name by name from the top, and no symbolic link is followed on the way. Nor does it
matter what somebody makes of these names afterwards: what is open stays the same directory.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

# O_PATH asks for no right to list what is inside; not every system has it.
_DIRECTORY: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Footing(Struct, frozen=True):
    """The place of one file: its ``name`` in the open ``directory``. All raise OSError."""

    directory: int
    name: bytes

    def look(self) -> os.stat_result | None:
        """Return what is there, a link itself; None: nothing."""
        try:
            return os.stat(self.name, dir_fd=self.directory, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def beside(self, name: bytes) -> Footing:
        """Return another place in the same directory."""
        return Footing(self.directory, name)

    def unlink(self) -> None:
        """Remove the file."""
        os.unlink(self.name, dir_fd=self.directory)

    def chmod(self, mode: int) -> None:
        """Give the file, which must not be a link, the permissions ``mode``."""
        os.chmod(self.name, mode, dir_fd=self.directory)

    def replace(self, other: Footing) -> None:
        """Give the file the name ``other``, instead of what has it."""
        os.replace(self.name, other.name, src_dir_fd=self.directory, dst_dir_fd=other.directory)

    def link(self, other: Footing) -> None:
        """Give the file the name ``other``, too. Raises FileExistsError where something has it."""
        directories = {"src_dir_fd": self.directory, "dst_dir_fd": other.directory}
        os.link(self.name, other.name, **directories, follow_symlinks=False)

    def take(self, made: bytes) -> None:
        """Bring the file or link ``made`` here, where nothing is yet."""
        try:
            os.rename(made, self.name, dst_dir_fd=self.directory)
        except OSError:  # the git directory may be on another file system
            self._copy(made)

    def _copy(self, made: bytes) -> None:
        import shutil

        found = os.lstat(made)
        if stat.S_ISLNK(found.st_mode):
            os.symlink(os.readlink(made), self.name, dir_fd=self.directory)
            return
        handle = os.open(self.name, _NEW, 0o600, dir_fd=self.directory)
        with open(made, "rb") as source, open(handle, "wb") as target:
            shutil.copyfileobj(source, target)
            os.fchmod(handle, stat.S_IMODE(found.st_mode))


@contextlib.contextmanager
def stand_at(top: Path, path: bytes, *, make: bool = False) -> Iterator[Footing]:
    """Give the place of ``path``, which counts from ``top``; ``make`` the directories above it.

    Raises FileExistsError where a file is in the way, OSError with a reason for a symbolic link.
    """
    *above, name = path.split(b"/")
    here = os.open(top, _DIRECTORY)
    try:
        for part in above:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=here)
            inner = _enter(here, part)
            os.close(here)
            here = inner
        yield Footing(here, name)
    finally:
        os.close(here)


def _enter(directory: int, name: bytes) -> int:
    try:
        return os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
    except OSError as error:
        if error.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            reason = "a directory above it is a symbolic link"
            raise OSError(errno.ELOOP, reason) from error
        raise FileExistsError(errno.EEXIST, "a file is in the way") from error
