"""Board files as bytes and back: a version's id and its envelope, decoded as far as is needed.

A backlog has a hundred thousand of them, so a parked one is checked once, when it is first seen,
and then kept as bytes: its value is decoded when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import Oid, is_oid
from gitbaton.git.objects import RawObject, make_object
from gitbaton.git.objectstore import ObjectStore
from gitbaton.store.gitengine.envelope import Envelope, MovedRef, decode_envelope
from gitbaton.store.model import Key, make_key


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    record: msgspec.Raw


class _Content(msgspec.Struct):
    value: dict[str, Any]
    moves: Sequence[MovedRef] = ()


_FILE = msgspec.json.Decoder(_File)
_CONTENT = msgspec.json.Decoder(_Content)


class Card(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=1):
    """A board file that has been checked: ``record`` is the envelope's bytes."""

    blob: Oid
    version: Oid
    seq: int
    record: bytes

    def envelope(self) -> Envelope:
        """Return the envelope, decoded anew."""
        return decode_envelope(None, self.record)

    def content(self) -> tuple[dict[str, Any], Sequence[MovedRef]]:
        """Return the value and the moved refs, decoded anew: the caller may change them."""
        found = _CONTENT.decode(self.record)
        return found.value, found.moves


class Unreadable(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=0):
    """A board file that is no record, and why."""

    blob: Oid
    reason: str


def read_card(collection: str, name: str, blob: Oid, body: bytes) -> Card | Unreadable:
    """Return the card of ``name`` that is in ``body``, the content of ``blob``."""
    try:
        version, record, envelope = _decode(collection, name, body)
    except DamagedRecord as error:
        return Unreadable(blob, error.message)
    return Card(blob, version, envelope.seq, record)


def decode_card(collection: str, name: str, body: bytes) -> tuple[Oid, Envelope]:
    """Return (version, envelope) from a board file, or raise DamagedRecord."""
    version, _, envelope = _decode(collection, name, body)
    return version, envelope


def encode_card(version: Oid, envelope: bytes) -> bytes:
    """Return a board file: the version and, indented for people, its envelope."""
    # The envelope's lines are those of a whole document; here they stand one step further in.
    record = envelope.rstrip(b"\n").replace(b"\n", b"\n ")
    return b'{\n "record": %s,\n "version": "%s"\n}\n' % (record, version.encode())


def card_object(objects: ObjectStore, version: Oid, envelope: bytes) -> RawObject:
    """Return the blob of a board file."""
    return make_object("blob", encode_card(version, envelope), objects.format)


def _decode(collection: str, name: str, body: bytes) -> tuple[Oid, bytes, Envelope]:
    key: Key = make_key(collection, name)
    if not body:
        raise DamagedRecord(f"{key} (on the board): its file is missing", next="baton doctor")
    try:
        file = _FILE.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise DamagedRecord(f"{key} (on the board): {error}", next="baton doctor") from error
    if not is_oid(file.version):
        raise DamagedRecord(f"{key} (on the board): version: {file.version!r} is no object id")
    record = bytes(file.record)
    try:
        return Oid(file.version), record, decode_envelope(key, record)
    except DamagedRecord as error:
        raise DamagedRecord(f"{key} (on the board): {error.message}", next=error.next) from error
