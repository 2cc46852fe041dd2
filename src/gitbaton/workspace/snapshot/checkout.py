"""The private checkout: brought to a tree by writing only what differs, whatever happened to it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gitbaton.core.errors import GitFailed
from gitbaton.core.ids import Oid
from gitbaton.git.replica import replica_git, write_replica
from gitbaton.git.runner import clean_environment
from gitbaton.git.workingtree import WorkingTree
from gitbaton.git.worktrees import erase
from gitbaton.workspace.snapshot.links import check_links, exclude_links, make_links
from gitbaton.workspace.snapshot.place import Place


class Checkout:
    """The files at ``place`` and the repository in them, a replica of ``tree``'s.

    ``links``: what is linked in (``HookSettings.links``). ``tell`` hears why a link is missing.
    """

    def __init__(
        self,
        tree: WorkingTree,
        place: Place,
        *,
        env: Mapping[str, str],
        links: Sequence[str],
        tell: Callable[[bytes], None],
    ) -> None:
        self.tree, self.place = tree, place
        self._links = check_links(links)
        self._tell = tell
        self._git = replica_git(place.git_dir, place.files, clean_environment(env))

    def show(
        self,
        content: Oid,
        *,
        head: Oid | None,
        branch: str | None,
        install: Callable[[Path], None],
    ) -> None:
        """Hold exactly the tree ``content``, with HEAD on ``branch`` at ``head``.

        ``install`` puts the hooks in once the files are there. Raises GitFailed when git cannot
        check it out even from nothing (a filter fails, the disk is full), BatonError.
        """
        self.place.make(self.tree)
        try:
            self._show(content, head, branch)
        except GitFailed:
            # Damaged beyond what git mends by itself: from nothing, once.
            self._discard()
            self.place.make(self.tree)
            self._show(content, head, branch)
        try:
            install(self.place.files)
            notes = make_links(self._links, top=self.tree.top, checkout=self.place.files)
        except OSError as error:
            raise self.place.unusable(error) from error
        for note in notes:
            self._tell(f"[baton: {note}]\n".encode(errors="surrogateescape"))

    def _show(self, content: Oid, head: Oid | None, branch: str | None) -> None:
        place = self.place
        try:
            write_replica(
                place.git_dir,
                self.tree,
                head=head,
                branch=branch,
                excluded=exclude_links(self._links),
            )
            if place.index.is_file():
                # With its time: git judges by it which entries may be racily clean.
                shutil.copy2(place.index, place.git_dir / "index")
            # Compares the stat data of every file, and writes those that differ.
            self._git.run("read-tree", "--reset", "-u", content)
            self._git.run("clean", "-ffdxq")
            self._empty_submodules()
            shutil.copy2(place.git_dir / "index", place.scratch)
            os.replace(place.scratch, place.index)
        except OSError as error:
            raise place.unusable(error) from error

    def _empty_submodules(self) -> None:
        """Delete what hooks put into submodules: git leaves the inside of one alone."""
        if not (self.place.files / ".gitmodules").is_file():
            return
        for path in self._submodules():
            inside = self.place.files / os.fsdecode(path)
            if inside.is_dir() and not inside.is_symlink():
                for item in inside.iterdir():
                    erase(item)

    def _submodules(self) -> list[bytes]:
        listed = self._git.run("ls-files", "-z", "--stage").stdout.split(b"\0")
        return [e.partition(b"\t")[2] for e in listed if e.startswith(b"160000 ")]

    def _discard(self) -> None:
        try:
            erase(self.place.files)
            self.place.index.unlink(missing_ok=True)
        except OSError as error:
            raise self.place.unusable(error) from error
