"""Merging deltas into a world: pure, the same bytes in any order, grouping and repetition (I7).

What the ops of one frame come to is told in ``docs/design/frames-merge.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct

from gitbaton.core.errors import DamagedRecord
from gitbaton.frames.canonical import decode_document, encode_document
from gitbaton.frames.codec import Quarantined
from gitbaton.frames.conflict import Conflict
from gitbaton.frames.delta import Delta
from gitbaton.frames.limits import DEFAULT
from gitbaton.frames.merging.document import DocumentMerge
from gitbaton.frames.merging.gathering import Gathered, gather
from gitbaton.frames.merging.ledger import Ledger
from gitbaton.frames.merging.room import Programs, make_room, report
from gitbaton.frames.merging.tree import MISSING
from gitbaton.frames.merging.verdict import Dispute
from gitbaton.frames.merging.write import Author, make_writes, reduce_writes, with_tails
from gitbaton.frames.op import Op
from gitbaton.frames.rules import RuleTable

_Programs: TypeAlias = dict[Author, list[tuple[int, Op]]]


class Counts(Struct, frozen=True):
    """How many ops there were, and what became of them: ``ops`` is the sum of the others.

    ``applied``: what it wants holds, alone or together with others' ops; ``superseded``: its own
    stream wrote the place again later; ``overruled``: it lost in a conflict, or could not be done
    (each is in ``conflicts``). A ``merge`` is applied if any member of it is.
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
    *,
    room: int = DEFAULT.document,
) -> MergeResult:
    """Merge ``deltas`` (of ``frame``, or late ones of earlier frames) into the world of ``frame``.

    ``documents`` is asked for a document's bytes (None: there is none), each once and only for
    documents that an op touches. ``room``: the bytes that a document may grow to. Deltas may come
    in any order, in parts and more than once.
    """
    gathered = gather(frame, deltas)
    ledger = Ledger()
    changed: dict[str, bytes | None] = {}
    aside = list(gathered.quarantined)
    total = sum(len(ops) for _, ops in gathered.streams)
    for doc, programs in sorted(_by_document(gathered).items()):
        before = documents(doc)
        mark = ledger.mark()
        after = _merge_document(doc, before, programs, rules, ledger)
        if _outgrows(after, before, room):
            ledger.go_back(mark)
            after, refused = _merge_within(doc, before, programs, rules, ledger, room)
            total -= sum(map(len, refused.values()))
            aside += report(doc, refused, room)
        if after != before:
            changed[doc] = after
    failed = ledger.superseded + ledger.overruled
    return MergeResult(
        changed,
        tuple(ledger.conflicts),
        tuple(aside),
        gathered.merged,
        Counts(total, total - failed, ledger.superseded, ledger.overruled),
    )


def _by_document(gathered: Gathered) -> dict[str, _Programs]:
    by_document: dict[str, _Programs] = {}
    for author, ops in gathered.streams:
        for numbered in ops:
            programs = by_document.setdefault(numbered[1].doc, {})
            programs.setdefault(author, []).append(numbered)
    return by_document


def _outgrows(after: bytes | None, before: bytes | None, room: int) -> bool:
    """Tell whether a document has become too large. One that was, may stay, and become smaller."""
    return after is not None and len(after) > max(room, len(before or b""))


def _merge_within(
    doc: str,
    before: bytes | None,
    programs: _Programs,
    rules: RuleTable,
    ledger: Ledger,
    room: int,
) -> tuple[bytes | None, Programs]:
    """Merge the ops for which there is room; return the document, and the others.

    What an op adds is reckoned from above, so the first attempt does it, unless a rule makes more
    of the ops than they say themselves.
    """
    left = max(room - len(before or b""), 0)
    for allowed in (left, left // 2, left // 8, 0):
        taken, refused = make_room(programs, allowed)
        mark = ledger.mark()
        after = _merge_document(doc, before, taken, rules, ledger)
        if not _outgrows(after, before, room):
            return after, refused
        ledger.go_back(mark)
    return before, programs


def _merge_document(
    doc: str, before: bytes | None, programs: _Programs, rules: RuleTable, ledger: Ledger
) -> bytes | None:
    streams = []
    for author, ops in programs.items():
        writes, superseded = reduce_writes(make_writes(author, ops))
        ledger.supersede(superseded)
        streams.append(writes)
    try:
        root = MISSING if before is None else decode_document(doc, before)
    except DamagedRecord:
        losers = with_tails(write for writes in streams for write in writes)
        ledger.record(Dispute("document", (), losers), doc, (), "", MISSING)
        ledger.overrule(losers)
        return before
    merging = DocumentMerge(doc, root, rules, ledger)
    for writes in streams:
        merging.add(writes)
    value = merging.run()
    return None if value is MISSING else encode_document(value)
