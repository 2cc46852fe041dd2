"""Gathering deltas: the set of all ops by their ids, in the deterministic order (pure; I7).

Deltas may come in any order, in parts and more than once: what counts is the set of ops. Streams
take turns by frame (late ones first) and then by lot, so that no worker's name always has the
last word; the lot is a hash of frame, worker and stream, the same for everyone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeAlias

from gitbaton.frames.codec import Quarantined, write_op
from gitbaton.frames.delta import Delta
from gitbaton.frames.merging.write import Author
from gitbaton.frames.op import Op

Part: TypeAlias = Mapping[int, Op]
Source: TypeAlias = tuple[int, str, str]  # frame, worker, stream


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that was delivered: each stream's ops in its turn, and what was put aside.

    ``twice``: ops whose id another op bears too, which stands; one of the two was never meant.
    """

    streams: Sequence[tuple[Author, Sequence[tuple[int, Op]]]]
    quarantined: tuple[Quarantined, ...]
    merged: tuple[tuple[int, str], ...]


def gather(frame: int, deltas: Iterable[Delta]) -> Gathered:
    """Return the union of ``deltas``, seen from ``frame``."""
    parts: dict[Source, list[Part]] = {}
    aside: set[Quarantined] = set()
    merged: set[tuple[int, str]] = set()
    for delta in deltas:
        header = delta.header
        if header.frame > frame:
            raise ValueError(f"a delta of frame {header.frame} cannot be merged into {frame}")
        merged.add((header.frame, header.worker))
        aside.update(delta.quarantined)
        for stream, ops in delta.streams.items():
            parts.setdefault((header.frame, header.worker, stream), []).append(ops.good)
    streams = []
    for rank, source in enumerate(sorted(parts, key=_turn)):
        author = Author(*source, rank, late=source[0] < frame)
        streams.append((author, _union(source, parts[source], aside)))
    return Gathered(streams, tuple(sorted(aside, key=_place)), tuple(sorted(merged)))


def _turn(source: Source) -> tuple[int, bytes, Source]:
    frame, worker, stream = source
    lot = blake2b(f"{frame}\0{worker}\0{stream}".encode(), digest_size=8).digest()
    return frame, lot, source


def _union(
    source: Source, parts: Sequence[Part], aside: set[Quarantined]
) -> Sequence[tuple[int, Op]]:
    if len(parts) == 1:
        return sorted(parts[0].items())
    union: dict[int, Op] = {}
    for part in parts:
        for sequence, op in part.items():
            other = union.setdefault(sequence, op)
            if other is op:
                continue
            first, second = sorted((write_op(other), write_op(op)))
            if first != second:
                union[sequence] = op if write_op(op) == first else other
                words = "another op has the same id, and stands"
                aside.add(Quarantined(*source, sequence, words, second.decode()[:120]))
    return sorted(union.items())


def _place(one: Quarantined) -> tuple[int, str, str, int, str, str]:
    return one.frame, one.worker, one.stream, one.line, one.reason, one.excerpt
