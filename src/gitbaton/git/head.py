"""What HEAD names: a branch, or a commit by itself."""

from __future__ import annotations

import os
from typing import Final

from gitbaton.core.ids import Oid
from gitbaton.git.workingtree import WorkingTree

_PLACEHOLDER: Final = "refs/heads/.invalid"  # where refs are not files (reftable)


def read_branch(tree: WorkingTree) -> str | None:
    """Return the full name of the branch that HEAD stands on, None where it is detached.

    The branch need not have a commit yet.
    """
    try:  # every commit asks for it: reading the file spares it a process
        text = os.fsdecode((tree.git_dir / "HEAD").read_bytes()).strip()
    except OSError:
        text = ""
    name = text.removeprefix("ref:").strip()
    if text.startswith("ref:") and name != _PLACEHOLDER:
        return name
    if text and not text.startswith("ref:"):
        return None
    asked = tree.git.run("symbolic-ref", "--quiet", "HEAD", check=False)
    return asked.text if asked.status == 0 else None


def read_tip(tree: WorkingTree, ref: str) -> Oid | None:
    """Return the commit that ``ref`` names, None where there is no such ref."""
    asked = tree.git.run("rev-parse", "--verify", "--quiet", ref, check=False)
    return Oid(asked.text) if asked.status == 0 else None


def has_been_at(tree: WorkingTree, ref: str, commit: Oid) -> bool:
    """Tell whether the reflog of ``ref`` shows that it has been at ``commit``.

    False also where there is no reflog.
    """
    place = tree.git_dir if ref == "HEAD" else tree.common
    try:
        lines = (place / "logs" / ref).read_bytes()
    except OSError:
        return False
    return any(line.split(b" ", 2)[1:2] == [commit.encode()] for line in lines.split(b"\n"))
