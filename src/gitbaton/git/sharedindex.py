"""The index of a working tree, which plain git uses too: read and changed by git alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from gitbaton.core.errors import GitFailed
from gitbaton.core.ids import Oid
from gitbaton.git.entries import Entry
from gitbaton.git.indexfile import index_info
from gitbaton.git.treeview import parents
from gitbaton.git.workingtree import WorkingTree

_ARGUMENTS: Final = 60_000  # bytes of paths on a command line; more are looked for in a full list
_CAREFUL: Final = (
    # A hook of git's would inherit the pen, and might keep it.
    *("-c", "core.hooksPath=/dev/null"),
    # Where a directory of a sparse index ends it, --index-info puts what is below that directory
    # beside it, and twice, without a word (seen in git 2.39). Unfolded, all is well.
    *("-c", "index.sparse=false"),
)
_REFRESHED: Final = 2_000  # more files than this are left for the next `git status` to look at


Mark: TypeAlias = Literal["skip-worktree", "assume-unchanged"]


class Staged(Struct, frozen=True):
    """What the index holds at a path.

    ``entry`` is None where there is nothing, or a conflict (``unmerged``). ``skipped``: a sparse
    checkout leaves it out of the working tree, or somebody has said so (skip-worktree).
    ``assumed``: git shall not look at the file (assume-unchanged).
    """

    entry: Entry | None = None
    unmerged: bool = False
    skipped: bool = False
    assumed: bool = False

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The marks by which git was told to leave the file alone (git-update-index(1))."""
        skip: tuple[Mark, ...] = ("skip-worktree",) if self.skipped else ()
        return (*skip, "assume-unchanged") if self.assumed else skip


NOTHING: Final = Staged()


class IndexLocked(GitFailed):
    """Another git process holds ``index.lock``, or one that was killed has left it."""

    code = "index_locked"


def lock_path(tree: WorkingTree) -> Path:
    """Return the lock file that every git takes before it writes the index of ``tree``."""
    return tree.git_dir / "index.lock"


def read_staged(tree: WorkingTree, paths: Sequence[bytes]) -> dict[bytes, Staged]:
    """Return what the index of ``tree`` holds at those of ``paths`` where it holds anything."""
    if not paths:
        return {}
    words = [path.decode("utf-8", "surrogateescape") for path in paths]
    if sum(map(len, paths)) > _ARGUMENTS:
        words = []
    listed = tree.git.run("--literal-pathspecs", "ls-files", "-z", "-s", "-v", "--", *words)
    wanted = frozenset(paths)
    found: dict[bytes, Staged] = {}
    for line in listed.stdout.split(b"\0"):
        head, _, path = line.partition(b"\t")
        if path not in wanted or not head:
            continue
        tag, mode, oid, stage = head.split(b" ")
        if stage != b"0":
            found[path] = Staged(unmerged=True)
        else:
            entry = Entry(int(mode, 8), Oid(oid.decode()))
            found[path] = Staged(entry, skipped=tag in b"Ss", assumed=tag.islower())
    return found


def list_staged(tree: WorkingTree, paths: Collection[bytes] | None = None) -> list[bytes]:
    """Return the paths that the index of ``tree`` has at ``paths`` and below (None: all)."""
    if paths is not None and not paths:
        return []
    words = [] if paths is None else [path.decode("utf-8", "surrogateescape") for path in paths]
    if sum(map(len, words)) > _ARGUMENTS:
        words = []
    listed = tree.git.run("--literal-pathspecs", "ls-files", "-z", "--", *words)
    return [path for path in listed.stdout.split(b"\0") if path]


def find_obstacles(paths: Collection[bytes], staged: Iterable[bytes]) -> list[bytes]:
    """Return those of ``staged`` that no index can hold beside ``paths`` (pure).

    They are below one of ``paths``, or one of these is below them.
    """
    here = frozenset(paths)
    above = frozenset(directory for path in paths for directory in parents(path))
    return [path for path in staged if path in above or not here.isdisjoint(parents(path))]


def write_staged(
    tree: WorkingTree, edits: Iterable[tuple[bytes, Entry | None]], *, pen: int
) -> None:
    """Change some entries of the index of ``tree`` in one step, and leave all others alone.

    ``pen`` is inherited by git (safecommit/lock.py). Raises IndexLocked, GitFailed.
    """
    _update(tree, ["--index-info"], index_info(edits, tree.format), pen)


def mark_staged(tree: WorkingTree, paths: Iterable[bytes], mark: Mark, *, pen: int) -> None:
    """Give entries the ``mark`` that they lose when they are written. Raises as write_staged."""
    _update(tree, [f"--{mark}", "--stdin"], b"\0".join(paths), pen)


def refresh_staged(tree: WorkingTree, paths: Sequence[bytes]) -> None:
    """Let the index note that the files at ``paths`` are as it has them, where they are.

    Only for scripts that do not look for themselves (git-diff-files(1)), so it is best effort.
    """
    if 0 < len(paths) <= _REFRESHED:
        tree.git.run(
            *("--literal-pathspecs", "add", "--refresh", "--ignore-errors"),
            *("--pathspec-from-file=-", "--pathspec-file-nul"),
            stdin=b"\0".join(paths),
            check=False,
        )


def _update(tree: WorkingTree, words: Sequence[str], stdin: bytes, pen: int) -> None:
    done = tree.git.run(
        *_CAREFUL, "update-index", "-z", *words, stdin=stdin, check=False, inherit=(pen,)
    )
    # A path that git will not have it passes over, and ends well (builtin/update-index.c).
    passed_over = any(line.startswith("Ignoring path ") for line in done.stderr.split("\n"))
    if done.status != 0 or passed_over:
        locked = "index.lock" in done.stderr and "File exists" in done.stderr
        kind = IndexLocked if locked else GitFailed  # no space and no right name the lock, too
        raise kind(["git", "update-index"], done.status, done.stderr)
