"""How a shared working tree follows its branch to another commit (pure).

The index follows where it holds what the branch held; what somebody staged stays staged. A file
follows where the index does; whether somebody has changed it is looked at when it is written
(git/placing.py), and then it stays byte for byte.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from msgspec import Struct

from gitbaton.git.entries import Entry
from gitbaton.git.placing import Placed, Wish
from gitbaton.git.sharedindex import NOTHING, Mark, Staged
from gitbaton.git.treeview import parents
from gitbaton.workspace.safecommit.move import IndexEdit

_LEFT_OUT: Final[tuple[Mark, ...]] = ("skip-worktree",)

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


def find_blocked(
    changes: Sequence[Change], staged: Mapping[bytes, Staged], listed: Sequence[bytes]
) -> frozenset[bytes]:
    """Return the new paths of ``changes`` that the index has no room for.

    ``listed``: all that it holds. Somebody staged a file where a directory comes, or the reverse.
    """
    going = {
        change.path
        for change in changes
        if change.after is None and staged.get(change.path, NOTHING).entry == change.before
    }
    rest = frozenset(listed) - going
    above = frozenset(directory for path in rest for directory in parents(path))
    coming = [change.path for change in changes if change.after is not None]
    return frozenset(path for path in coming if path in above or not rest.isdisjoint(parents(path)))


def follow(
    changes: Iterable[Change],
    staged: Mapping[bytes, Staged],
    blocked: Collection[bytes] = (),
    absent: Collection[bytes] = (),
) -> Following:
    """Return how index and files follow ``changes``.

    ``staged``: what the index holds there. ``blocked``: see find_blocked. ``absent``: the paths
    that a sparse checkout leaves out of the working tree: they stay out, and what is new among them
    is marked as left out.
    """
    index: list[IndexEdit] = []
    files: list[Wish] = []
    kept: list[Kept] = []
    submodules: list[bytes] = []
    for change in changes:
        found = staged.get(change.path, NOTHING)
        if found.unmerged:
            kept.append(Kept(change.path, "conflict", base=change.before))
            continue
        if found.entry not in (change.before, change.after) or change.path in blocked:
            kept.append(Kept(change.path, "staged", base=change.before))
            continue
        is_out = change.path in absent
        if found.entry != change.after:
            marks = found.marks or (_LEFT_OUT if is_out else ())
            index.append(IndexEdit(change.path, found.entry, change.after, marks))
        if is_out:
            continue
        if change.after is not None and change.after.is_submodule:
            submodules.append(change.path)
        wish = _wish(change, found)
        if wish is not None:
            files.append(wish)
    return Following(tuple(index), tuple(files), tuple(kept), tuple(submodules))


def find_left(placed: Sequence[Placed], following: Following) -> list[Kept]:
    """Return the files that did not follow after all, by what became of them when written."""
    new = {wish.path for wish in following.files if wish.before is None}
    return [
        Kept(
            one.path,
            "unsafe" if one.fate == "unsafe" else "in the way" if one.path in new else "changed",
            one.reason,
        )
        for one in placed
        if one.fate != "placed"
    ]


def find_bases(following: Following) -> dict[bytes, Entry | None]:
    """Return what each file that may stay is based on."""
    return {
        **{wish.path: wish.before for wish in following.files},
        **{item.path: item.base for item in following.kept},
    }


def _wish(change: Change, found: Staged) -> Wish | None:
    """Return what shall become of the file. Submodules are not checked out, as git does not."""
    if found.entry is None and change.after is None:
        return None  # somebody took it out of the index before, and the file is theirs
    before, after = _on_disk(change.before), _on_disk(change.after)
    return None if before == after else Wish(change.path, before, after)


def _on_disk(entry: Entry | None) -> Entry | None:
    return None if entry is not None and entry.is_submodule else entry
