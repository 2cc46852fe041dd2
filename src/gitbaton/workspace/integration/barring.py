"""Keeps a branch from moving to a commit whose files git itself would not check out (I8)."""

from __future__ import annotations

from collections.abc import Sequence

from gitbaton.core.errors import Refused
from gitbaton.core.ids import Oid
from gitbaton.git.safepath import find_unsafe
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.integration.following import Change
from gitbaton.workspace.safecommit.naming import listed


def require_safe(tree: WorkingTree, changes: Sequence[Change], theirs: Oid) -> None:
    """Raise Refused if ``changes``, which come with upstream's ``theirs``, name a way out.

    Into the git directory, out of the tree, through a link: see git/safepath.py.
    """
    coming = ((item.path, item.after.mode) for item in changes if item.after is not None)
    unsafe = sorted(find_unsafe(coming))
    if unsafe:
        commit = _find_commit(tree, unsafe[0], theirs)
        raise Refused(
            f"commit {commit[:10]} of upstream has paths that git does not check out, since they "
            f"lead into a git directory or out of the tree: {listed(unsafe)}; the branch stays as "
            "it is",
            code="unsafe_path",
            next=f"git log --stat -1 {commit[:10]}; whoever pushed it must take it back, then "
            "baton sync",
        )


def _find_commit(tree: WorkingTree, path: bytes, theirs: Oid) -> Oid:
    """Return the last commit that touched ``path``; ``theirs`` where git cannot look for it."""
    words = ("rev-list", "-1", theirs, "--", path.decode("utf-8", "surrogateescape"))
    asked = tree.git.run("--literal-pathspecs", *words, check=False)
    return Oid(asked.text) if asked.status == 0 and asked.text else theirs
