"""How a shared working tree follows its branch to another commit (pure).

The index follows where it holds what the branch held; what somebody staged stays staged. A file
follows where the index does; whether somebody has changed it is looked at when it is written
(git/placing.py), and then it stays byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from gitbaton.git.entries import Entry
from gitbaton.git.placing import Wish
from gitbaton.git.sharedindex import NOTHING, Staged
from gitbaton.workspace.safecommit.move import IndexEdit

Why = Literal["staged", "conflict", "changed", "in the way", "unsafe"]


class Change(Struct, frozen=True):
    """What two commits hold at one path; None: nothing."""

    path: bytes
    before: Entry | None
    after: Entry | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that was left as it is although the branch has another one now.

    ``staged``: somebody staged something there. ``conflict``: the index has one. ``changed``:
    somebody edited or removed it. ``in the way``: an untracked file is where a new one would be.
    ``unsafe``: its place cannot be written, for ``reason``. ``base``: what the branch had there.
    """

    path: bytes
    why: Why
    reason: str = ""
    base: Entry | None = None


@dataclass(frozen=True, slots=True)
class Following:
    """What is to be done to follow. ``submodules``: whose directory should be there afterwards."""

    index: tuple[IndexEdit, ...]
    files: tuple[Wish, ...]
    kept: tuple[Kept, ...]
    submodules: tuple[bytes, ...]


def follow(changes: Iterable[Change], staged: Mapping[bytes, Staged]) -> Following:
    """Return how index and files follow ``changes``. ``staged``: what the index holds there."""
    index: list[IndexEdit] = []
    files: list[Wish] = []
    kept: list[Kept] = []
    submodules: list[bytes] = []
    for change in changes:
        found = staged.get(change.path, NOTHING)
        if found.unmerged:
            kept.append(Kept(change.path, "conflict", base=change.before))
            continue
        if found.entry not in (change.before, change.after):
            kept.append(Kept(change.path, "staged", base=change.before))
            continue
        if found.entry != change.after:
            index.append(IndexEdit(change.path, found.entry, change.after))
        if change.after is not None and change.after.is_submodule:
            submodules.append(change.path)
        wish = _wish(change, skipped=found.skipped)
        if wish is not None:
            files.append(wish)
    return Following(tuple(index), tuple(files), tuple(kept), tuple(submodules))


def _wish(change: Change, *, skipped: bool) -> Wish | None:
    """Return what shall become of the file. Submodules are not checked out, as git does not."""
    before, after = _on_disk(change.before), _on_disk(change.after)
    if skipped:
        before = None  # a sparse checkout leaves it out
    return None if before == after else Wish(change.path, before, after)


def _on_disk(entry: Entry | None) -> Entry | None:
    return None if entry is not None and entry.is_submodule else entry
