"""Board files that somebody has edited by hand: they do not say what their version says.

A version is the id of a commit that follows from the card to the byte, so an edit shows.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import Oid
from gitbaton.git.objectstore import ObjectStore
from gitbaton.store.gitengine.board import Board
from gitbaton.store.gitengine.cards import decode_card
from gitbaton.store.gitengine.envelope import (
    Envelope,
    build_version,
    encode_envelope,
    record_path,
)
from gitbaton.store.gitengine.layout import live_path, parked_path


def find_edited(board: Board, collection: str, objects: ObjectStore) -> Iterator[str]:
    """Yield the paths of edited cards: parked ones, then marks of live records. Reads all of them.

    Unreadable parked cards are left out: they are damaged records.
    """
    for name, card in board.parked.cards():
        if _is_edited(card.version, card.envelope(), objects):
            yield parked_path(name)
    for name, blob in sorted(board.live.items()):
        found = objects.find_many([blob])[0]
        if found is not None and _is_edited_mark(collection, name, found[1], objects):
            yield live_path(name)


def _is_edited_mark(collection: str, name: str, body: bytes, objects: ObjectStore) -> bool:
    try:
        version, envelope = decode_card(collection, name, body)
    except DamagedRecord:
        return True
    return _is_edited(version, envelope, objects)


def _is_edited(version: Oid, envelope: Envelope, objects: ObjectStore) -> bool:
    if not envelope.companions:
        return build_version(envelope, objects.format).commit != version
    # Its commit holds the other members too; which bytes those had, the card does not tell.
    record = objects.find_many([record_path(version)])[0]
    return record is not None and record[1] != encode_envelope(envelope)
