"""What one move of a branch changes: the ref, entries of the shared index, files on disk."""

from __future__ import annotations

from msgspec import Struct

from gitbaton.core.ids import Oid
from gitbaton.git.entries import Entry
from gitbaton.git.placing import Wish
from gitbaton.git.sharedindex import Mark


class IndexEdit(Struct, frozen=True):
    """The shared index shall have ``after`` at ``path``, where it has ``before`` now.

    ``path`` counts from the top, as bytes; None: no entry. ``marks``: what the entry keeps, or, if
    it is new and a sparse checkout leaves it out, comes with.
    """

    path: bytes
    before: Entry | None
    after: Entry | None
    marks: tuple[Mark, ...] = ()


class Move(Struct, frozen=True, kw_only=True):
    """One move of ``ref``, from ``old`` (None: it is not there yet) to ``new``.

    ``ref`` is a full name, or ``HEAD`` where that is detached. ``log``: the line of the reflog.
    ``files`` follow when the branch has moved, each only if nobody has changed it. ``careful``: an
    index entry that is not as it was (somebody staged something) stops the move.
    """

    ref: str
    old: Oid | None
    new: Oid
    log: str
    index: tuple[IndexEdit, ...] = ()
    files: tuple[Wish, ...] = ()
    careful: bool = False
