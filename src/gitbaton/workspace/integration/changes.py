"""Reads what two commits have differently, path by path."""

from __future__ import annotations

from gitbaton.core.ids import Oid
from gitbaton.git.entries import Entry
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.integration.following import Change


def read_changes(tree: WorkingTree, old: Oid | None, new: Oid) -> list[Change]:
    """Return the paths at which two commits differ (``old`` None: the empty one)."""
    words = (old, new) if old is not None else (_empty_tree(tree), new)
    raw = tree.git.run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", *words)
    fields = raw.stdout.split(b"\0")
    return [_change(head, path) for head, path in zip(fields[0::2], fields[1::2], strict=False)]


def _change(head: bytes, path: bytes) -> Change:
    old_mode, new_mode, old, new, _ = head.removeprefix(b":").split(b" ")
    return Change(path, _entry(old_mode, old), _entry(new_mode, new))


def _entry(mode: bytes, oid: bytes) -> Entry | None:
    return Entry(int(mode, 8), Oid(oid.decode())) if int(mode, 8) else None


def _empty_tree(tree: WorkingTree) -> str:
    return tree.git.run("hash-object", "-t", "tree", "--stdin", stdin=b"").text
