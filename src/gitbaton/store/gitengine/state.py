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
    UNBORN = "unborn"  # nowhere yet: only the other half of its first transaction has it


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
    _add_parked(collection, board, held, bad, torn, decode)
    _add_lost(collection, board, held, bad, torn, decode)
    for key, (version, _) in live.items():
        own, name = key.split("/", 1)
        if own == collection and name not in board.live and name not in board.parked:
            torn.add(f"the board does not know {key}: {version}")
    held.update(_complete_halves(collection, held, bad, complete, torn))
    return State(board, held, refs, bad, frozenset(torn), asked, answered, collection=collection)


def _add_parked(
    collection: str,
    board: Board,
    held: dict[Key, Held],
    bad: dict[Key, str],
    torn: set[str],
    decode: Decode,
) -> None:
    """Add the parked records, each instead of a ref that its card has left behind."""
    for name, blob in board.parked.items():
        key = make_key(collection, name)
        mine = held.get(key)
        if mine is None and key in bad:
            continue
        parked = _decode_card(key, name, blob, Place.PARKED, bad, decode)
        if mine is not None:
            torn.add(f"{key} is parked and has a ref: {blob} {mine.version}")
        # With a ref beside it: a fold that was cut off, or a ref that went on after it, is the
        # truth. (One *behind* its card came late, to a host without atomic pushes.)
        if parked is not None and (mine is None or mine.envelope.seq < parked.envelope.seq):
            held[key] = parked


def _add_lost(
    collection: str,
    board: Board,
    held: dict[Key, Held],
    bad: dict[Key, str],
    torn: set[str],
    decode: Decode,
) -> None:
    """Add the records that are marked live and have no ref."""
    for name, blob in board.live.items():
        key = make_key(collection, name)
        if name in board.parked:
            torn.add(f"{key} is both parked and live: {blob}")
        elif key not in held and key not in bad:
            torn.add(f"{key} is marked live and has no ref: {blob}")
            lost = _decode_card(key, name, blob, Place.LOST, bad, decode)
            if lost is not None:
                held[key] = lost


def _decode_card(
    key: Key, name: str, blob: Oid, place: Place, bad: dict[Key, str], decode: Decode
) -> Held | None:
    try:
        version, envelope = decode(name, blob)
    except DamagedRecord as error:
        bad[key] = error.message
        return None
    return Held(version, envelope, place)


def _complete_halves(
    collection: str,
    held: Mapping[Key, Held],
    bad: Mapping[Key, str],
    complete: Complete,
    torn: set[str],
) -> dict[Key, Held]:
    """Return the records whose newest transaction is seen in another member only.

    The numbers decide: a member that is at least as far as the transaction made it is past it;
    one that is just where the transaction found it can be completed from the half we see;
    anything else means that the listing is older than it looks. The half must be of the same
    transaction and stand just upon what is there: what one record says of another is not trusted
    further than that.
    """
    halves: dict[Key, Held] = {}
    for key, mine in held.items():
        for name, companion in mine.envelope.companions.items():
            other = Key(name)
            theirs = held.get(other)
            if other in bad or (theirs is not None and theirs.envelope.seq >= companion.seq):
                continue
            here = theirs.version if theirs is not None else None
            half = complete(mine.version, other) if here == companion.old else None
            fits = (
                half is not None
                and half.transaction == mine.envelope.transaction
                and half.seq == companion.seq
                and not half.companions.keys() - {*mine.envelope.companions, key}
            )
            if half is None or not fits:
                torn.add(f"{other} ({here}) is behind {key} ({mine.version})")
            elif theirs is not None:
                halves[other] = replace(theirs, envelope=half, completed=True)
            elif not other.startswith(f"{collection}/"):
                # Its first version: nothing is there, and nothing but this half knows of it.
                halves[other] = Held(mine.version, half, Place.UNBORN, completed=True)
    return halves
