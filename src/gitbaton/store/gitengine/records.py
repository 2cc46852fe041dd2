"""Records as a reader gets them: all of a snapshot's, decoded one by one when they are wanted."""

from __future__ import annotations

from collections.abc import Collection, ItemsView, Iterable, Iterator, Mapping
from functools import partial

from gitbaton.core.ids import Oid
from gitbaton.store.gitengine.cards import Card
from gitbaton.store.gitengine.envelope import MovedRef
from gitbaton.store.gitengine.layout import Layout
from gitbaton.store.gitengine.state import Held, Holdings, Place
from gitbaton.store.model import Content, Key, Move, Record, Value, Version
from gitbaton.store.values import copy_value


class Records(Mapping[Key, Record]):
    """The records of ``held`` below ``prefix``. It stays what it is while the store goes on (I6).

    Looking one up reads an object at most; iterating reads all that is not known yet.
    """

    def __init__(self, held: Holdings, prefix: str, layout: Layout) -> None:
        self._held = held
        self._prefix = prefix
        self._layout = layout

    def __getitem__(self, key: Key) -> Record:
        if not key.startswith(self._prefix):
            raise KeyError(key)
        mine = self._held.near.get(key)
        if mine is not None:
            return to_record(mine, self._layout)
        card = self._held.card(key)
        if card is None:
            raise KeyError(key)
        return _parked(card, self._layout)

    def __iter__(self) -> Iterator[Key]:
        for key in self._held.near:
            if key.startswith(self._prefix):
                yield key
        for key, _ in self._cards():
            yield key

    def __len__(self) -> int:
        if f"{self._held.collection}/".startswith(self._prefix):
            near = sum(key.startswith(self._prefix) for key in self._held.near)
            return near + self._held.count_parked()
        return sum(1 for _ in self)

    @property
    def held(self) -> Holdings:
        """What these records are made of."""
        return self._held

    def changed_since(self, other: Mapping[Key, Record]) -> Collection[Key] | None:
        """Return the keys that may differ from ``other``; None: it cannot be told quickly.

        So who keeps what it made of all records need not look at all of them again.
        """
        return self._held.changed_since(other.held) if isinstance(other, Records) else None

    def items(self) -> ItemsView[Key, Record]:
        return _Items(self)

    def pairs(self) -> Iterator[tuple[Key, Record]]:
        """Yield every key and record: quicker than to look up each."""
        for key, mine in self._held.near.items():
            if key.startswith(self._prefix):
                yield key, to_record(mine, self._layout)
        for key, card in self._cards():
            yield key, _parked(card, self._layout)

    def _cards(self) -> Iterator[tuple[Key, Card]]:
        collection = f"{self._held.collection}/"
        if collection.startswith(self._prefix):
            yield from self._held.cards()
        elif self._prefix.startswith(collection):
            for key, card in self._held.cards():
                if key.startswith(self._prefix):
                    yield key, card


class _Items(ItemsView[Key, Record]):
    def __init__(self, records: Records) -> None:
        super().__init__(records)
        self._records = records

    def __iter__(self) -> Iterator[tuple[Key, Record]]:
        return self._records.pairs()


class DamageBelow(Mapping[Key, str]):
    """What cannot be read below ``prefix``: records, and refs that are no record's."""

    def __init__(self, damaged: Mapping[Key, str], prefix: str, layout: Layout) -> None:
        self._damaged = damaged
        self._prefixes = (prefix, layout.namespace + prefix)

    def __getitem__(self, key: Key) -> str:
        if not key.startswith(self._prefixes):
            raise KeyError(key)
        return self._damaged[key]

    def __iter__(self) -> Iterator[Key]:
        return (key for key in self._damaged if key.startswith(self._prefixes))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def live_records(held: Holdings, prefix: str, layout: Layout) -> dict[Key, Record]:
    """Return the records below ``prefix`` that do not lie on the board."""
    return {
        key: to_record(mine, layout)
        for key, mine in held.near.items()
        if mine.place is not Place.PARKED and key.startswith(prefix)
    }


def to_record(held: Held, layout: Layout) -> Record:
    """Return what a reader gets of ``held``."""
    load = partial(_content_of, held, layout)
    return Record.lazy(Version(held.version), load, provisional=held.completed)


def _parked(card: Card, layout: Layout) -> Record:
    return Record.lazy(Version(card.version), partial(_content_on, card, layout))


def _content_of(held: Held, layout: Layout) -> Content:
    return _content(copy_value(held.envelope.value), held.envelope.moves, layout)


def _content_on(card: Card, layout: Layout) -> Content:
    value, moves = card.content()
    return _content(value, moves, layout)


def _content(value: Value, moved: Iterable[MovedRef], layout: Layout) -> Content:
    moves = [
        Move(target, Oid(one.old) if one.old else None, Oid(one.new))
        for one in moved
        if (target := layout.parse_target(one.ref)) is not None
    ]
    return value, tuple(moves)
