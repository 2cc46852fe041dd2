"""Looks at what the named paths are, on disk and in the tip: what is there, what is gone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from gitbaton.core.errors import Refused
from gitbaton.git.entries import DIRECTORY, GITLINK
from gitbaton.git.sharedindex import NOTHING, Staged, read_staged
from gitbaton.git.treeview import TreeView, parents
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.safecommit.naming import command, listed, shown

Kind = Literal["file", "link", "submodule", "directory", "other", "absent"]


class Survey(Struct, frozen=True):
    """The files that a commit takes: ``present`` ones with their size on disk, and ``gone`` ones.

    ``staged``: what the shared index holds at them.
    """

    present: dict[bytes, int]
    gone: dict[bytes, None]
    staged: Mapping[bytes, Staged]

    @property
    def paths(self) -> list[bytes]:
        """All of them."""
        return [*self.present, *self.gone]


class Surveyor(Struct, frozen=True):
    """Looks at paths in ``tree``, whose tip is ``view``.

    ``ignore_case``: the file system does not tell ``A`` from ``a`` (core.ignoreCase).
    """

    tree: WorkingTree
    view: TreeView
    ignore_case: bool = False

    def look(self, paths: Sequence[bytes], *, recursive: bool) -> Survey:
        """Return what committing ``paths`` takes; directories are opened when ``recursive``.

        Raises Refused for what cannot be committed by name, with the command to copy.
        """
        named = list(dict.fromkeys(paths))
        staged = read_staged(self.tree, named)
        survey = Survey({}, {}, staged)
        directories = [path for path in named if not self._take(survey, path)]
        if not recursive:
            # A file that is a directory now: naming it means that the file is gone.
            directories = [path for path in directories if path not in survey.gone]
        if not directories:
            return survey
        if not recursive:
            raise _directory(directories, named)
        for directory in directories:
            for path in self._inside(directory):
                self._take_inner(survey, path)
        staged = read_staged(self.tree, survey.paths)
        # Found and not named: what git was told to leave alone is left alone.
        aside = {path for path, there in staged.items() if there.skipped or there.assumed}
        aside.difference_update(named)
        return Survey(
            {path: size for path, size in survey.present.items() if path not in aside},
            {path: None for path in survey.gone if path not in aside},
            staged,
        )

    def _take(self, survey: Survey, path: bytes) -> bool:
        """Put a path that was named into ``survey``; False for a directory."""
        self._reach(path)
        kind, size = self._kind(path)
        standing = self.view.entry(path)
        if kind == "other":
            raise Refused(
                f"{shown(path)} is no file, link or directory",
                code="unreadable",
                next=f"ls -ld {shown(path)}",
            )
        if kind == "submodule":
            self._require_known_submodule(path, survey.staged.get(path, NOTHING))
        if kind == "absent" and standing is None:
            raise self._unknown(path)
        if kind == "absent":
            survey.gone[path] = None
        elif kind != "directory":
            survey.present[path] = size
        if standing is not None and standing.mode == DIRECTORY:
            survey.gone.pop(path, None)
            return False
        if kind == "directory" and standing is not None:
            survey.gone[path] = None
        return kind != "directory"

    def _take_inner(self, survey: Survey, path: bytes) -> None:
        """Put a path that was found in a named directory into ``survey``."""
        kind, size = self._kind(path)
        if kind in ("file", "link", "submodule"):
            survey.present[path] = size
        elif self.view.entry(path) is not None:
            survey.gone[path] = None

    def _kind(self, path: bytes) -> tuple[Kind, int]:
        full = os.path.join(os.fsencode(self.tree.top), path)
        try:
            found = os.lstat(full)
        except (FileNotFoundError, NotADirectoryError):
            return "absent", 0
        except OSError as error:
            raise Refused(
                f"{shown(path)} cannot be read: {error.strerror}",
                code="unreadable",
                next=f"ls -ld {shown(path)}",
            ) from error
        if self.ignore_case and not self._spelled_so(path):
            return "absent", 0
        if stat.S_ISREG(found.st_mode):
            return "file", found.st_size
        if stat.S_ISLNK(found.st_mode):
            return "link", found.st_size
        if not stat.S_ISDIR(found.st_mode):
            return "other", 0
        standing = self.view.entry(path)
        if os.path.lexists(os.path.join(full, b".git")):
            return "submodule", 0
        if standing is not None and standing.mode == GITLINK:
            raise Refused(
                f"the submodule {shown(path)} is not checked out here",
                code="submodule",
                next=f"git submodule update --init -- {shown(path)}",
            )
        return "directory", 0

    def _reach(self, path: bytes) -> None:
        """Refuse what lies beyond a link, or in another repository."""
        top = os.fsencode(self.tree.top)
        for above in parents(path):
            full = os.path.join(top, above)
            if os.path.islink(full):
                raise Refused(
                    f"{shown(path)} is beyond the symbolic link {shown(above)}",
                    code="outside",
                    next=command([above]),
                )
            if os.path.lexists(os.path.join(full, b".git")):
                inner = path[len(above) + 1 :]
                raise Refused(
                    f"{shown(path)} is in another repository, {shown(above)}",
                    code="submodule",
                    next=f"baton -C {shown(above)} commit {shown(inner)} -m MSG",
                )

    def _require_known_submodule(self, path: bytes, staged: Staged) -> None:
        entries = (self.view.entry(path), staged.entry)
        if not any(entry is not None and entry.mode == GITLINK for entry in entries):
            raise Refused(
                f"{shown(path)} is a repository of its own, and no submodule of this one",
                code="submodule",
                next=f"git submodule add URL {shown(path)}",
            )

    def _inside(self, directory: bytes) -> Iterator[bytes]:
        """Yield every path below ``directory`` that git would look at, and all that the tip has.

        Not repositories that are no submodules: git lists them with a slash.
        """
        shown_there = self.tree.git.run(
            *("--literal-pathspecs", "ls-files", "-z", "--cached", "--others"),
            *("--exclude-standard", "--deduplicate", "--"),
            directory.decode("utf-8", "surrogateescape"),
        )
        known = dict.fromkeys(
            path for path in shown_there.stdout.split(b"\0") if path and not path.endswith(b"/")
        )
        known.update(dict.fromkeys(path for path, _ in self.view.below(directory)))
        return iter(known)

    def _spelled_so(self, path: bytes) -> bool:
        above, _, name = os.path.join(os.fsencode(self.tree.top), path).rpartition(b"/")
        return name in os.listdir(above)

    def _unknown(self, path: bytes) -> Refused:
        above = path.rpartition(b"/")[0]
        alike = sorted(
            n for n in self.view.names(above) if n.lower() == path.rpartition(b"/")[2].lower()
        )
        if alike:
            right = above + b"/" + alike[0] if above else alike[0]
            return Refused(
                f"there is no {shown(path)}; {shown(right)} is spelled differently",
                code="unknown_path",
                next=command([right]),
            )
        return Refused(
            f"{shown(path)} is neither in the working tree nor in the last commit",
            code="unknown_path",
            next="git status --short",
        )


def _directory(directories: Sequence[bytes], paths: Sequence[bytes]) -> Refused:
    return Refused(
        f"{listed(directories)}: a directory is committed only with --recursive, since others may "
        "be at work in it",
        code="is_directory",
        next=command(paths, "--recursive"),
    )
