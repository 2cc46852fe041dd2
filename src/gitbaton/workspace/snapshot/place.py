"""Where the private checkout of one working tree is, and what belongs to it."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitbaton.core.errors import BatonError
from gitbaton.git.sharing import make_shared
from gitbaton.git.workingtree import WorkingTree

_DIRECTORY: Final = "hooks"  # below <clone>.baton
ASIDE: Final = ".left-"  # in the name of what was moved aside


@dataclass(frozen=True, slots=True)
class Place:
    """``<clone>.baton/hooks/<digest>/`` and the names in it.

    The checkout bears the name of the working tree, because some tools go by the name of the
    directory that they run in. ``common``: the clone's git directory.
    """

    root: Path
    name: str
    common: Path

    @staticmethod
    def of(tree: WorkingTree, directory: Path) -> Place:
        """Return the place of ``tree`` below ``directory``, the clone's ``<clone>.baton``.

        Each user has one of their own: what hooks run from is nothing to share.
        """
        whose = os.fsencode(tree.git_dir)
        if os.stat(whose).st_uid != os.getuid():
            whose += b"\0%d" % os.getuid()
        digest = hashlib.sha256(whose).hexdigest()[:12]
        return Place(directory / _DIRECTORY / digest, tree.top.name or "tree", tree.common)

    @property
    def files(self) -> Path:
        """The top of the checkout, where hooks run."""
        return self.root / "tree" / self.name

    @property
    def git_dir(self) -> Path:
        """The git directory that hooks find."""
        return self.files / ".git"

    @property
    def index(self) -> Path:
        """What ``files`` held after the last update. No hook knows of it."""
        return self.root / "index"

    @property
    def scratch(self) -> Path:
        """An index that is written, read and thrown away."""
        return self.root / "scratch"

    @property
    def busy(self) -> Path:
        """Locked by a running hook and what it started."""
        return self.root / "busy"

    def make(self, tree: WorkingTree) -> None:
        """Make the directories, and note whose they are. Raises BatonError where that fails."""
        try:
            self.make_root()
            for path in (self.root / "tree", self.files):
                if path.is_symlink():  # a hook's doing: nothing may lead out of here
                    path.unlink()
                path.mkdir(parents=True, exist_ok=True)
            owner = self.root / "owner"
            if not owner.exists():
                owner.write_bytes(os.fsencode(tree.git_dir) + b"\n")
        except OSError as error:
            raise self.unusable(error) from error

    def make_root(self) -> None:
        """Make the directory of all this, in one that all users of the clone may use."""
        for above in (self.root.parent.parent, self.root.parent):
            make_shared(above, self.common)
        self.root.mkdir(exist_ok=True)

    def unusable(self, error: OSError) -> BatonError:
        """Return what to raise when the files here cannot be made or written."""
        return BatonError(
            f"the checkout for hooks in {self.root} cannot be used: {error.strerror or error}",
            next="name another directory: git config baton.work.worktrees DIRECTORY",
        )


def find_abandoned(directory: Path) -> list[Path]:
    """Return the places of working trees that are no more, and what was moved aside.

    ``directory``: the clone's ``<clone>.baton``. Nothing in them is unique.
    """
    return [root for root in sorted((directory / _DIRECTORY).glob("*")) if _is_abandoned(root)]


def sweep_places(directory: Path) -> list[Path]:
    """Delete what ``find_abandoned`` finds; return what is gone."""
    from gitbaton.git.worktrees import erase

    swept = []
    for root in find_abandoned(directory):
        with contextlib.suppress(OSError, BatonError):  # somebody still writes in it: next time
            erase(root)
            swept.append(root)
    return swept


def _is_abandoned(root: Path) -> bool:
    if ASIDE in root.name:
        return True
    try:
        owner = os.fsdecode((root / "owner").read_bytes()).rstrip("\n")
    except OSError:
        return False  # being made
    return bool(owner) and not os.path.lexists(owner)
