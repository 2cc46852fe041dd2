"""Reads what hooks left in the checkout, and makes the tree that is committed of it.

All of it is asked of the user's repository, with indexes of our own: a hook may have rewritten
every file of the repository that it ran in.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from gitbaton.core.ids import Oid
from gitbaton.git.entries import Entry
from gitbaton.git.objects import make_object
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.runner import Git
from gitbaton.git.workingtree import WorkingTree
from gitbaton.git.worktrees import QUIET
from gitbaton.workspace.snapshot.changes import Choice, choose, parse_changes
from gitbaton.workspace.snapshot.place import Place
from gitbaton.workspace.snapshot.proposal import Fix

_RAW = ("--raw", "-z", "--no-abbrev", "--no-renames")


class Fixes:
    """What hooks changed in the checkout at ``place``, for a commit of ``tree``."""

    def __init__(self, tree: WorkingTree, place: Place) -> None:
        self._tree, self._place = tree, place
        where = (f"--git-dir={tree.git_dir}", f"--work-tree={place.files}")
        careful = ("-c", "core.trustctime=true", "-c", "core.checkStat=default")
        self._git = Git(place.files, tree.git.env, (*where, *QUIET, *careful))

    def read(self, content: Oid, named: frozenset[bytes]) -> Choice:
        """Return what is taken of the changes since the checkout held the tree ``content``.

        Raises GitFailed where a hook left an index that git cannot read.
        """
        shutil.copy2(self._place.index, self._place.scratch)
        # `diff` and not `diff-files`: it reads a file that was only touched, and passes it over.
        written = self._run(
            *(
                "diff",
                "--no-ext-diff",
                "--no-textconv",
                "--no-color",
                "--ignore-submodules=all",
                *_RAW,
            )
        )
        # Copied too: asked of a damaged index, git must not mend it behind a hook's back.
        shutil.copy2(self._place.git_dir / "index", self._place.scratch)
        staged = self._run("diff-index", "--cached", *_RAW, content, "--")
        return choose(parse_changes(written), parse_changes(staged), named=named)

    def apply(self, choice: Choice) -> Oid:
        """Return the tree with ``choice``; all its objects are in the clone. Raises GitFailed."""
        shutil.copy2(self._place.index, self._place.scratch)
        if choice.files:
            self._run("update-index", "-z", "--stdin", stdin=_lines(choice.files))
        if choice.staged:
            self._fetch(choice.staged)
            lines = [self._line(path, entry) for path, entry in choice.staged.items()]
            self._run("update-index", "-z", "--index-info", stdin=_lines(lines))
        return Oid(self._run("write-tree").decode("ascii").strip())

    def compare(self, before: Oid, after: Oid) -> tuple[Fix, ...]:
        """Return the files that differ between two trees."""
        raw = self._run("diff-tree", "-r", *_RAW, before, after)
        return tuple(Fix(item.path, item.before, item.after) for item in parse_changes(raw))

    def _fetch(self, staged: Mapping[bytes, Entry | None]) -> None:
        """Copy the blobs that a hook staged from the checkout's repository into the clone."""
        theirs = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self._place.git_dir / "objects")}
        store = ObjectStore(self._tree.git, self._tree.common, self._tree.format)
        for entry in staged.values():
            if entry is not None and not entry.is_submodule:
                body = self._git.run("cat-file", "blob", entry.oid, env=theirs).stdout
                store.write([make_object("blob", body, self._tree.format)])

    def _line(self, path: bytes, entry: Entry | None) -> bytes:
        if entry is None:  # mode 0 removes (git-update-index(1), USING --INDEX-INFO)
            return b"0 %s\t%s" % (b"0" * (40 if self._tree.format == "sha1" else 64), path)
        return b"%o %s\t%s" % (entry.mode, entry.oid.encode(), path)

    def _run(self, *args: str, stdin: bytes | None = None) -> bytes:
        env = {"GIT_INDEX_FILE": str(self._place.scratch)}
        return self._git.run(*args, stdin=stdin, env=env).stdout


def _lines(items: tuple[bytes, ...] | list[bytes]) -> bytes:
    return b"".join(item + b"\0" for item in items)
