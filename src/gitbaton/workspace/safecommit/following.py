"""How the shared index follows a commit (pure).

For each path of the commit there are four versions: the tip's before, what was staged when the
commit began, what is staged now, and what was committed. The index follows unless somebody staged
the path since the commit began: then theirs is newer than ours, and stays.

What was staged before the commit began is older: it came from the same file on disk, and the commit
has what became of it. Left staged it would be a trap, since the next plain ``git commit`` would
take the path back to it. So it is superseded, and named, with the object that still holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gitbaton.git.entries import Entry
from gitbaton.git.objects import Format, make_object
from gitbaton.git.sharedindex import NOTHING, Staged
from gitbaton.git.treeview import TreeView
from gitbaton.workspace.safecommit.move import IndexEdit
from gitbaton.workspace.safecommit.request import Superseded

_FORMATS: Final[tuple[Format, ...]] = ("sha1", "sha256")
_EMPTY: Final = frozenset(make_object("blob", b"", format).oid for format in _FORMATS)

Changes = Mapping[bytes, Entry | None]


def follow(
    changes: Changes, *, begun: Mapping[bytes, Staged], now: Mapping[bytes, Staged]
) -> tuple[IndexEdit, ...]:
    """Return the edits of the index that a commit of ``changes`` brings along."""
    edits = []
    for path, after in changes.items():
        before = now.get(path, NOTHING).entry
        if before == begun.get(path, NOTHING).entry and before != after:
            edits.append(IndexEdit(path, before, after))
    return tuple(edits)


def find_superseded(
    tip: TreeView,
    changes: Changes,
    *,
    begun: Mapping[bytes, Staged],
    now: Mapping[bytes, Staged],
) -> tuple[Superseded, ...]:
    """Return the paths of ``changes`` that had, or have, another version staged."""
    found = []
    for path, after in changes.items():
        first, last = begun.get(path, NOTHING), now.get(path, NOTHING)
        if last.entry != first.entry:
            if last.entry != after:
                found.append(Superseded(path, last.entry, kept=True))
        elif first.entry not in (tip.entry(path), after) and not _is_intent(first.entry):
            found.append(Superseded(path, first.entry, kept=False))
    return tuple(found)


def _is_intent(entry: Entry | None) -> bool:
    """Tell whether it may be from ``git add --intent-to-add``: nothing was staged but the name."""
    return entry is not None and entry.oid in _EMPTY
