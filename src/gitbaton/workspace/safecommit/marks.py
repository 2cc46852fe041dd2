"""The marks by which git leaves entries alone: whatever writes an entry takes them off."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from gitbaton.git.entries import Entry
from gitbaton.git.sharedindex import NOTHING, mark_staged, read_staged
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.safecommit.move import IndexEdit


def give_marks(tree: WorkingTree, edits: Sequence[IndexEdit], *, pen: int) -> None:
    """Give the entries of ``edits`` their marks. Raises as write_staged."""
    for mark in sorted({mark for edit in edits for mark in edit.marks}):
        mark_staged(tree, [edit.path for edit in edits if mark in edit.marks], mark, pen=pen)


def find_unmarked(
    tree: WorkingTree, edits: Sequence[IndexEdit], wanted: Mapping[bytes, Entry | None]
) -> list[IndexEdit]:
    """Return those of ``edits`` whose entry is as ``wanted`` and has not all its marks.

    An entry that came with its mark is passed over where its file is there by now: somebody wants
    to see it, and a mark would hide what they do to it.
    """
    marked = [edit for edit in edits if edit.marks and wanted.get(edit.path) is not None]
    now = read_staged(tree, [edit.path for edit in marked])
    return [
        edit
        for edit in marked
        if (found := now.get(edit.path, NOTHING)).entry == wanted[edit.path]
        and not set(edit.marks) <= set(found.marks)
        and (edit.before is not None or not _is_there(tree, edit.path))
    ]


def _is_there(tree: WorkingTree, path: bytes) -> bool:
    return os.path.lexists(os.path.join(os.fsencode(tree.top), path))
