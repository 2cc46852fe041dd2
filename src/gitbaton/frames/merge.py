"""Merging deltas into a world: pure, the same bytes in any order, grouping and repetition (I7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from gitbaton.frames.codec import Quarantined
from gitbaton.frames.conflict import Conflict
from gitbaton.frames.delta import Delta
from gitbaton.frames.rules import RuleTable


class Counts(Struct, frozen=True):
    """How many ops there were, and what became of them: ``ops`` is the sum of the others.

    ``applied``: took effect; ``superseded``: the same stream wrote the place again later;
    ``overruled``: lost in a conflict, or could not be done (each is in ``conflicts``).
    """

    ops: int = 0
    applied: int = 0
    superseded: int = 0
    overruled: int = 0


class MergeResult(Struct, frozen=True):
    """What merging found.

    ``changed``: documents whose bytes are new, by name in order; None: the document is gone.
    ``merged``: the (frame, worker) pairs that are in it, in order.
    """

    changed: Mapping[str, bytes | None]
    conflicts: tuple[Conflict, ...]
    quarantined: tuple[Quarantined, ...]
    merged: tuple[tuple[int, str], ...]
    counts: Counts


def merge(
    frame: int,
    deltas: Iterable[Delta],
    rules: RuleTable,
    documents: Callable[[str], bytes | None],
) -> MergeResult:
    """Merge ``deltas`` (of ``frame``, or late ones of earlier frames) into the world of ``frame``.

    ``documents`` is asked for a document's bytes (None: there is none), each at most once and only
    for documents that an op touches. Deltas may come in any order, in parts and more than once.
    """
    raise NotImplementedError
