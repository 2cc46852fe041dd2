"""What the remote holds at one look, put together from refs and board (pure).

A ref listing is no snapshot: it may show one half of a transaction. ``assemble`` says what is
certain, completes what can be completed from the other half, and names what is torn, so that the
reader looks again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import Oid
from gitbaton.store.gitengine.board import Board
from gitbaton.store.gitengine.envelope import Envelope
from gitbaton.store.model import Key, make_key


class Place(Enum):
    """Where the truth about a record stands."""

    LIVE = "live"  # a ref
    PARKED = "parked"  # the board: tasks/<shard>/<name>.json
    LOST = "lost"  # marked live, but there is no ref: the board's copy is all there is


@dataclass(frozen=True, slots=True)
class Held:
    """One record as it stands. ``completed``: the value comes from the transaction's other half,
    the version is still the one before it."""

    version: Oid
    envelope: Envelope
    place: Place
    completed: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """One look at the remote."""

    board: Board
    held: Mapping[Key, Held]
    refs: Mapping[str, Oid]
    damaged: Mapping[Key, str]
    torn: frozenset[str] = frozenset()  # what did not fit together, as stable text
    asked: float = 0.0
    answered: float = 0.0

    @property
    def unmarked(self) -> list[Key]:
        """Live records that the board does not mark as live."""
        return [
            key
            for key, held in self.held.items()
            if held.place is Place.LIVE
            and key.startswith(f"{self.collection}/")
            and key.removeprefix(f"{self.collection}/") not in self.board.live
        ]

    collection: str = field(default="tasks", kw_only=True)


Decode = Callable[[str, Oid], tuple[Oid, Envelope]]
Complete = Callable[[Oid, Key], Envelope | None]


def assemble(
    collection: str,
    board: Board,
    live: Mapping[Key, tuple[Oid, Envelope]],
    refs: Mapping[str, Oid],
    damaged: Mapping[Key, str],
    *,
    decode: Decode,
    complete: Complete,
    asked: float,
    answered: float,
) -> State:
    """Return the state that refs and board show together.

    ``live``: the decoded records that have refs. ``decode(name, blob)`` decodes a board file;
    ``complete(version, key)`` returns the half of ``key`` that is kept in another record's
    ``version``. Where there is a ref, it is the truth; else the board.
    """
    bad = dict(damaged)
    torn: set[str] = set()
    held: dict[Key, Held] = {k: Held(v, e, Place.LIVE) for k, (v, e) in live.items()}

    def from_board(name: str, blob: Oid, place: Place) -> None:
        key = make_key(collection, name)
        try:
            version, envelope = decode(name, blob)
        except DamagedRecord as error:
            bad[key] = error.message
        else:
            held[key] = Held(version, envelope, place)

    for name, blob in board.parked.items():
        key = make_key(collection, name)
        if key in held or key in bad:
            torn.add(f"parked with a ref: {key}")
        else:
            from_board(name, blob, Place.PARKED)
    for name, blob in board.live.items():
        key = make_key(collection, name)
        if key not in held and key not in bad:
            torn.add(f"live without a ref: {key}")
            from_board(name, blob, Place.LOST)
        elif name in board.parked:
            torn.add(f"both parked and live: {key}")
    for key in live:
        own, name = key.split("/", 1)
        if own == collection and name not in board.live and name not in board.parked:
            torn.add(f"a ref the board does not know: {key}")

    halves = _complete_halves(held, complete, torn)
    held.update(halves)
    return State(board, held, refs, bad, frozenset(torn), asked, answered, collection=collection)


def _complete_halves(
    held: Mapping[Key, Held], complete: Complete, torn: set[str]
) -> dict[Key, Held]:
    """Return the records whose newest transaction is seen in another member only.

    The numbers decide: a member that is at least as far as the transaction made it is past it;
    one that is just where the transaction found it can be completed from the half we see;
    anything else means that the listing is older than it looks.
    """
    halves: dict[Key, Held] = {}
    for key, mine in held.items():
        for name, companion in mine.envelope.companions.items():
            other = Key(name)
            theirs = held.get(other)
            if theirs is not None and theirs.envelope.seq >= companion.seq:
                continue
            if theirs is None or theirs.version != companion.old:
                torn.add(f"{other} is behind {key}")
                continue
            envelope = complete(mine.version, other)
            if envelope is not None:
                halves[other] = replace(theirs, envelope=envelope, completed=True)
    return halves
