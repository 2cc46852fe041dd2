"""From refs and board to one state: what is certain, what is torn, what can be completed (pure).

A ref listing is no snapshot: it may show one half of a transaction. ``assemble`` says what is
certain, completes what can be completed from the other half, and names what is torn, so that the
reader looks again. Only names that have a ref or a live mark can be torn: of the parked records it
looks up those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import Oid
from gitbaton.store.gitengine.board import Board
from gitbaton.store.gitengine.cards import Card, Unreadable
from gitbaton.store.gitengine.envelope import Envelope
from gitbaton.store.gitengine.state import Damage, Held, Holdings, Place, State, parked_record
from gitbaton.store.model import Key, make_key

Decode = Callable[[str, Oid], tuple[Oid, Envelope]]
Complete = Callable[[Oid, Key], Envelope | None]
Cards = Mapping[str, Card | Unreadable | None]


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

    ``live``: the decoded records that have refs. ``decode(name, blob)`` decodes a live mark;
    ``complete(version, key)`` returns the half of ``key`` that is kept in another record's
    ``version``. Where there is a ref, it is the truth; else the board.
    """
    bad = dict(damaged)
    torn: set[str] = set()
    near: dict[Key, Held] = {k: Held(v, e, Place.LIVE) for k, (v, e) in live.items()}
    parked = board.parked.find(_watched(collection, board, near, bad))
    _put_parked_first(collection, parked, near, bad, torn)
    _add_lost(collection, board, parked, near, bad, torn, decode)
    for key, (version, _) in live.items():
        own, name = key.split("/", 1)
        if own == collection and name not in board.live and parked[name] is None:
            torn.add(f"the board does not know {key}: {version}")
    hidden = frozenset(key for key in bad if key not in near)
    held = Holdings(collection, near, hidden, board.parked)
    damage = Damage(bad, held)
    near.update(_complete_halves(held, damage, complete, torn))
    return State(
        board,
        held,
        refs,
        damage,
        frozenset(torn),
        asked,
        answered,
        collection=collection,
    )


def _watched(
    collection: str, board: Board, near: Mapping[Key, Held], bad: Mapping[Key, str]
) -> list[str]:
    """Return the names whose refs or marks may contradict what is parked."""
    prefix = f"{collection}/"
    named = (k.removeprefix(prefix) for keys in (near, bad) for k in keys if k.startswith(prefix))
    return list(dict.fromkeys([*named, *board.live]))


def _put_parked_first(
    collection: str, parked: Cards, near: dict[Key, Held], bad: dict[Key, str], torn: set[str]
) -> None:
    """Put the parked record instead of a ref that its card has left behind."""
    for name, card in parked.items():
        key = make_key(collection, name)
        mine = near.get(key)
        if card is None or mine is None:
            continue
        torn.add(f"{key} is parked and has a ref: {card.blob} {mine.version}")
        if isinstance(card, Unreadable):
            bad[key] = card.reason
        # A fold that was cut off, or a ref that went on after it, is the truth. (One *behind* its
        # card came late, to a host without atomic pushes.)
        elif mine.envelope.seq < card.seq:
            near[key] = parked_record(card)


def _add_lost(
    collection: str,
    board: Board,
    parked: Cards,
    near: dict[Key, Held],
    bad: dict[Key, str],
    torn: set[str],
    decode: Decode,
) -> None:
    """Add the records that are marked live and have no ref."""
    for name, blob in board.live.items():
        key = make_key(collection, name)
        if parked[name] is not None:
            torn.add(f"{key} is both parked and live: {blob}")
        elif key not in near and key not in bad:
            torn.add(f"{key} is marked live and has no ref: {blob}")
            try:
                version, envelope = decode(name, blob)
            except DamagedRecord as error:
                bad[key] = error.message
            else:
                near[key] = Held(version, envelope, Place.LOST)


def _complete_halves(
    held: Holdings, damage: Damage, complete: Complete, torn: set[str]
) -> dict[Key, Held]:
    """Return the records whose newest transaction is seen in another member only.

    The numbers decide: a member that is at least as far as the transaction made it is past it;
    one that is just where the transaction found it can be completed from the half we see;
    anything else means that the listing is older than it looks. The half must be of the same
    transaction and stand just upon what is there: what one record says of another is not trusted
    further than that.
    """
    halves: dict[Key, Held] = {}
    for key, mine in held.near.items():
        for name, companion in mine.envelope.companions.items():
            other = Key(name)
            theirs = held.get(other)
            if other in damage or (theirs is not None and theirs.envelope.seq >= companion.seq):
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
            elif not other.startswith(f"{held.collection}/"):
                # Its first version: nothing is there, and nothing but this half knows of it.
                halves[other] = Held(mine.version, half, Place.UNBORN, completed=True)
    return halves
