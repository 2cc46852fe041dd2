"""What the remote holds at one look: the live part as it is, the parked part as it is wanted.

The records near at hand (those with a ref, with a mark that says so, or changed by ourselves since)
are few and held as values. The rest is looked up on the board when somebody asks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from gitbaton.core.ids import Oid
from gitbaton.store.gitengine.board import Board
from gitbaton.store.gitengine.cards import Card, Unreadable
from gitbaton.store.gitengine.envelope import Envelope
from gitbaton.store.gitengine.shelves import Parked
from gitbaton.store.model import Key


class Place(Enum):
    """Where the truth about a record stands."""

    LIVE = "live"  # a ref
    PARKED = "parked"  # the board: tasks/<shard>/<name>.json
    LOST = "lost"  # marked live, but there is no ref: the board's copy is all there is
    UNBORN = "unborn"  # nowhere yet: only the other half of its first transaction has it


@dataclass(frozen=True, slots=True)
class Held:
    """One record as it stands. ``completed``: the value comes from the transaction's other half,
    the version is still the one before it."""

    version: Oid
    envelope: Envelope
    place: Place
    completed: bool = False


class Holdings(Mapping[Key, Held]):
    """All records of one look. Looking one up reads an object at most; iterating reads all.

    ``near``: the records that do not simply lie on the board, and what is true of them instead.
    ``hidden``: keys that count for nothing, whatever is parked under them.
    """

    def __init__(
        self,
        collection: str,
        near: Mapping[Key, Held],
        hidden: Collection[Key] = (),
        parked: Parked | None = None,
    ) -> None:
        self.collection = collection
        self.near = near
        self.hidden = hidden
        self.parked = parked or Parked()
        self._prefix = f"{collection}/"

    def __getitem__(self, key: Key) -> Held:
        mine = self.near.get(key)
        if mine is not None:
            return mine
        card = self.card(key)
        if card is None:
            raise KeyError(key)
        return parked_record(card)

    def card(self, key: Key) -> Card | None:
        """Return the card of a record that lies on the board, None for every other key."""
        if key in self.near or key in self.hidden or not key.startswith(self._prefix):
            return None
        found = self.parked.get(key.removeprefix(self._prefix))
        return found if isinstance(found, Card) else None

    def cards(self) -> Iterator[tuple[Key, Card]]:
        """Yield key and card of every record that lies on the board. Reads all of it."""
        for name, card in self.parked.cards():
            key = Key(self._prefix + name)
            if key not in self.near and key not in self.hidden:
                yield key, card

    def changed_since(self, other: Holdings) -> set[Key] | None:
        """Return the keys that may differ from ``other``: the near ones, and cards that do differ.

        None where nobody has read all of ``other``: then comparing is no quicker than reading.
        """
        if self.collection != other.collection or not other.parked.is_read:
            return None
        names = self.parked.differences(other.parked)
        cards = (Key(self._prefix + name) for name in names)
        return {*self.near, *other.near, *self.hidden, *other.hidden, *cards}

    def __iter__(self) -> Iterator[Key]:
        yield from self.near
        for key, _ in self.cards():
            yield key

    def __len__(self) -> int:
        return len(self.near) + self.count_parked()

    def __bool__(self) -> bool:
        return bool(self.near or self.parked)

    def count_parked(self) -> int:
        """Return how many records lie on the board. Reads all of it."""
        covered = {*self.near, *self.hidden}
        names = [k.removeprefix(self._prefix) for k in covered if k.startswith(self._prefix)]
        found = self.parked.find(names).values()
        return self.parked.count() - sum(isinstance(card, Card) for card in found)


class Damage(Mapping[Key, str]):
    """The keys whose bytes are no record, and why: those near at hand, and those on the board."""

    def __init__(self, near: Mapping[Key, str], held: Holdings) -> None:
        self.near = near
        self._held = held
        self._prefix = f"{held.collection}/"

    def __getitem__(self, key: Key) -> str:
        reason = self.near.get(key)
        if reason is not None:
            return reason
        if not key.startswith(self._prefix) or key in self._held.near:
            raise KeyError(key)
        found = self._held.parked.get(key.removeprefix(self._prefix))
        if not isinstance(found, Unreadable):
            raise KeyError(key)
        return found.reason

    def __iter__(self) -> Iterator[Key]:
        yield from self.near
        for shelf in self._held.parked.shelves():
            for name in shelf.unreadable:
                key = Key(self._prefix + name)
                if key not in self.near and key not in self._held.near:
                    yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True, slots=True)
class State:
    """One look at the remote."""

    board: Board
    held: Holdings
    refs: Mapping[str, Oid]
    damaged: Damage
    torn: frozenset[str] = frozenset()  # what did not fit together, as stable text
    asked: float = 0.0
    answered: float = 0.0

    collection: str = field(default="tasks", kw_only=True)


def parked_record(card: Card) -> Held:
    """Return the record that a card on the board is."""
    return Held(card.version, card.envelope(), Place.PARKED)
