"""A document that would grow too large: whose ops still have room in it (pure).

Without a bound one stream could fill a document until no host takes it any more, and the world
would stand still. Room is shared out between the streams, so who writes little is heard. What
takes away is always done, or a full document could never become smaller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from gitbaton.frames.canonical import encode_document, encode_key
from gitbaton.frames.codec import LISTED, Quarantined
from gitbaton.frames.limits import share_out
from gitbaton.frames.merging.write import Author
from gitbaton.frames.op import Delete, Incr, Op, Remove

Programs: TypeAlias = Mapping[Author, Sequence[tuple[int, Op]]]

_MARKS: Final = 8  # bytes that stand around a value: quotes, a colon, commas, brackets, newlines
_NUMBER: Final = 32  # bytes by which a sum may be longer than what was added


def make_room(programs: Programs, room: int) -> tuple[dict[Author, list[tuple[int, Op]]], Programs]:
    """Return the ops by which a document grows by at most ``room`` bytes, and the others.

    Of each stream the first lines count, up to its share; after that only what takes away.
    """
    costs = {author: [_growth(op) for _, op in ops] for author, ops in programs.items()}
    shares = share_out([sum(each) for each in costs.values()], room)
    taken: dict[Author, list[tuple[int, Op]]] = {}
    refused: dict[Author, list[tuple[int, Op]]] = {}
    for (author, ops), left in zip(programs.items(), shares, strict=True):
        for numbered, cost in zip(ops, costs[author], strict=True):
            fits = cost <= left or not cost
            left = left - cost if fits else -1
            (taken if fits else refused).setdefault(author, []).append(numbered)
    return taken, refused


def report(doc: str, refused: Programs, limit: int) -> list[Quarantined]:
    """Return what the frame's record says of the ops for which there was no room."""
    words = f"{doc} would have more than {limit} bytes"
    aside: list[Quarantined] = []
    for author, ops in refused.items():
        source = (author.frame, author.worker, author.stream)
        aside += [Quarantined(*source, line, words) for line, _ in ops[:LISTED]]
        if len(ops) > LISTED:
            aside.append(Quarantined(*source, 0, f"further ops: {words}", more=len(ops) - LISTED))
    return aside


def _growth(op: Op) -> int:
    """Return by how many bytes a document grows at most through ``op``, as it is written down."""
    if isinstance(op, Delete | Remove):
        return 0
    value = encode_document(op.value)
    depth = op.path.count("/") + 1
    path = len(encode_key(op.path)) + depth * (depth + _MARKS)
    more = _NUMBER if isinstance(op, Incr) else len(encode_key(getattr(op, "key", None)))
    return len(value) + value.count(b"\n") * depth + path + more + _MARKS
