"""Which parked records go live next: the order of a long backlog, kept up as the board changes."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from gitbaton.core.ids import Oid
from gitbaton.store.gitengine.cards import Card
from gitbaton.store.gitengine.shelves import Shelf
from gitbaton.store.gitengine.state import Holdings
from gitbaton.store.model import Key
from gitbaton.store.protocol import BoardPolicy

Rank = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """The waiting records of one shelf in order, and the rank of each card (None: finished)."""

    tree: Oid
    ranks: Mapping[Oid, Rank | None]
    waiting: list[tuple[Rank, str]]


class Staging:
    """Keeps the waiting records in the policy's order. Works anew only on shelves that changed."""

    def __init__(self, policy: BoardPolicy) -> None:
        self._policy = policy
        self._lines: dict[str, _Line] = {}

    def first(self, held: Holdings, count: int, *, fits: Callable[[Key], bool]) -> list[Key]:
        """Return the first ``count`` of the parked records that are not finished, in order.

        Without those that do not fit to go live: they must not keep the others waiting.
        """
        if count <= 0 or not held.parked:
            return []
        return list(islice(filter(fits, self._in_order(held)), count))

    def _in_order(self, held: Holdings) -> Iterator[Key]:
        lines = [self._line(shelf).waiting for shelf in held.parked.shelves()]
        for _, name in heapq.merge(*lines):
            key = Key(f"{held.collection}/{name}")
            if key not in held.near and key not in held.hidden:
                yield key

    def _line(self, shelf: Shelf) -> _Line:
        before = self._lines.get(shelf.part)
        if before is not None and before.tree == shelf.tree:
            return before
        known = before.ranks if before is not None else {}
        ranks = {
            card.blob: known[card.blob] if card.blob in known else self._rank(name, card)
            for name, card in shelf.cards.items()
        }
        waiting = [(ranks[card.blob], name) for name, card in shelf.cards.items()]
        line = _Line(shelf.tree, ranks, sorted((r, n) for r, n in waiting if r is not None))
        self._lines[shelf.part] = line
        return line

    def _rank(self, name: str, card: Card) -> Rank | None:
        value, _ = card.content()
        return None if self._policy.finished(value) else self._policy.order(name, value)
