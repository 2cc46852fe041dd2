"""The board branch as the engine reads it: which records are parked, which are marked live.

``tasks/<shard>/<name>.json`` is a parked record: there the branch is the truth.
``live/<name>.json`` marks a record that has a ref and shows its last known state: there the ref is
the truth. All else on the branch is made from these for people and programs, and never read back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import Oid, is_oid
from gitbaton.git.objects import RawObject, decode_commit, make_object
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.trees import walk_files
from gitbaton.store.gitengine.envelope import Envelope, decode_envelope
from gitbaton.store.gitengine.layout import live_path, parked_path, unescape
from gitbaton.store.model import Key, make_key


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A board file: a version's id and its envelope."""

    version: str
    record: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Board:
    """The files of one board commit, by record name. Blobs are decoded when they are wanted."""

    tip: Oid | None = None
    tree: Oid | None = None
    parked: Mapping[str, Oid] = field(default_factory=dict)
    live: Mapping[str, Oid] = field(default_factory=dict)
    strange: Sequence[str] = ()  # paths below tasks/ or live/ that are no record's


def read_board(objects: ObjectStore, tip: Oid | None) -> Board:
    """Return the board at the commit ``tip`` (None: there is no board yet).

    Raises DamagedRecord when the branch is not a board at all.
    """
    if tip is None:
        return Board()
    kind, body = objects.read(tip)
    if kind != "commit":
        raise DamagedRecord(f"the board branch names a {kind}", next="baton doctor")
    tree = decode_commit(body).tree
    parked: dict[str, Oid] = {}
    live: dict[str, Oid] = {}
    strange: list[str] = []
    for path, oid in walk_files(objects, tree):
        directory, _, file = path.rpartition("/")
        name = unescape(file.removesuffix(".json")) if file.endswith(".json") else None
        if directory.startswith("tasks/"):
            if name is not None and parked_path(name) == path:
                parked[name] = oid
            else:
                strange.append(path)
        elif directory == "live":
            if name is not None and live_path(name) == path:
                live[name] = oid
            else:
                strange.append(path)
    return Board(tip, tree, parked, live, tuple(strange))


def encode_card(version: Oid, envelope: bytes) -> bytes:
    """Return a board file: the version and, indented for people, its envelope."""
    plain = {"version": version, "record": json.loads(envelope)}
    return json.dumps(plain, indent=1, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def decode_card(collection: str, name: str, body: bytes) -> tuple[Oid, Envelope]:
    """Return (version, envelope) from a board file, or raise DamagedRecord."""
    key: Key = make_key(collection, name)
    if not body:
        raise DamagedRecord(f"{key} (on the board): its file is missing", next="baton doctor")
    try:
        card = msgspec.json.decode(body, type=Card)
    except (msgspec.DecodeError, RecursionError) as error:
        raise DamagedRecord(f"{key} (on the board): {error}", next="baton doctor") from error
    if not is_oid(card.version):
        raise DamagedRecord(f"{key} (on the board): version: {card.version!r} is no object id")
    try:
        return Oid(card.version), decode_envelope(key, bytes(card.record))
    except DamagedRecord as error:
        raise DamagedRecord(f"{key} (on the board): {error.message}", next=error.next) from error


def card_object(objects: ObjectStore, version: Oid, envelope: bytes) -> RawObject:
    """Return the blob of a board file."""
    return make_object("blob", encode_card(version, envelope), objects.format)
