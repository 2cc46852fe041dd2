"""What stands at a path, in a tree or in an index: a mode and an object."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from gitbaton.core.ids import Oid

FILE: Final = 0o100644
EXECUTABLE: Final = 0o100755
SYMLINK: Final = 0o120000
GITLINK: Final = 0o160000  # a submodule: the commit that it stands at
DIRECTORY: Final = 0o040000


class Entry(Struct, frozen=True):
    """A file, a symbolic link or a submodule, as git stores it."""

    mode: int
    oid: Oid

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return self.mode == SYMLINK

    @property
    def is_submodule(self) -> bool:
        """Whether ``oid`` is a commit of another repository."""
        return self.mode == GITLINK
