"""One version of a record, as a git commit (pure).

The commit's tree holds ``record.json`` (the value in its envelope), its subject is the audit line,
its author the actor, its parent the version that it replaces. The envelope says again what the
commit says, so that a record parked on the board is as complete as a live one, and the commit of
a version can be built from its envelope alone, to the byte.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from gitbaton.core.clock import parse_rfc3339
from gitbaton.core.errors import DamagedRecord, InvalidInput
from gitbaton.core.ids import Oid, is_oid
from gitbaton.git.objects import (
    FILE_MODE,
    TREE_MODE,
    Commit,
    Format,
    Person,
    RawObject,
    TreeEntry,
    encode_commit,
    encode_tree,
    make_object,
)
from gitbaton.store.gitengine.layout import escape
from gitbaton.store.model import Key
from gitbaton.store.values import MAX_DEPTH, encode_value

FORMAT = 1
FILE = "record.json"
COMPANIONS = "with"


class Companion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another record written by the same transaction: what it replaced, and its new number."""

    old: str | None
    seq: int


class MovedRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A branch or rescue ref moved by the same transaction."""

    ref: str
    old: str | None
    new: str


class Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value with all that its version is.

    ``seq`` counts the versions of a key, from 1. ``transaction`` is the random nonce that all
    members of a transaction share: it makes the version unique, and it is how a client that
    lost the server's answer recognises its own work.
    """

    format: int
    key: str
    seq: int
    transaction: str
    heartbeat: bool
    after: str | None  # the parent: the version replaced, or the one a replaced heartbeat followed
    at: str
    actor: str
    email: str
    subject: str
    companions: Mapping[str, Companion] = {}
    moves: Sequence[MovedRef] = ()
    deleted: bool = False  # a tombstone: the last version of a record that is gone
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class VersionObjects:
    """The objects of one version; ``commit`` is the version."""

    commit: Oid
    objects: tuple[RawObject, ...]


def encode_envelope(envelope: Envelope) -> bytes:
    """Return the bytes of ``record.json``: readable, and the same for the same envelope."""
    plain = json.dumps(msgspec.to_builtins(envelope), ensure_ascii=False, sort_keys=True)
    # As json.dumps(indent=1) would write it; that is a loop in Python, ten times as long.
    return msgspec.json.format(plain.encode(), indent=1) + b"\n"


def decode_envelope(key: Key | None, body: bytes) -> Envelope:
    """Return the envelope in ``body``, or raise DamagedRecord that says what is wrong.

    ``key``: where it was found; None when that is checked elsewhere.
    """
    if not body:
        raise DamagedRecord(f"there is no {FILE} in this commit")
    try:
        envelope = msgspec.json.decode(body, type=Envelope)
        parse_rfc3339(envelope.at)
        if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
            encode_value(envelope.value)  # checks how deep it is nested
    except InvalidInput as error:
        raise DamagedRecord(error.message, next="baton doctor") from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise DamagedRecord(str(error), next="baton doctor") from error
    if envelope.format != FORMAT:
        raise DamagedRecord(f"format: {envelope.format} is not {FORMAT}", next="upgrade gitbaton")
    if key is not None and envelope.key != key:
        raise DamagedRecord(f"key: this record belongs under {envelope.key!r}")
    olds = [moved.old for moved in envelope.moves] + [c.old for c in envelope.companions.values()]
    for oid in (envelope.after, *olds, *(moved.new for moved in envelope.moves)):
        if oid is not None and not is_oid(oid):
            raise DamagedRecord(f"{oid!r} is no object id", next="baton doctor")
    return envelope


def build_version(
    envelope: Envelope, format: Format, *, companions: Mapping[str, bytes] | None = None
) -> VersionObjects:
    """Return the objects of the version that ``envelope`` describes.

    ``companions``: the ``record.json`` of the transaction's other members, by key, kept in the
    tree so that whoever sees only this half can complete the other.
    """
    record = make_object("blob", encode_envelope(envelope), format)
    objects = [record]
    entries = [TreeEntry(FILE_MODE, FILE.encode(), record.oid)]
    if companions:
        members: list[TreeEntry] = []
        for key, body in companions.items():
            blob = make_object("blob", body, format)
            objects.append(blob)
            members.append(TreeEntry(FILE_MODE, escape(key).encode(), blob.oid))
        subtree = make_object("tree", encode_tree(members), format)
        objects.append(subtree)
        entries.append(TreeEntry(TREE_MODE, COMPANIONS.encode(), subtree.oid))
    tree = make_object("tree", encode_tree(entries), format)
    author = Person(envelope.actor, envelope.email, int(parse_rfc3339(envelope.at).timestamp()))
    parents = (Oid(envelope.after),) if envelope.after else ()
    body = encode_commit(Commit(tree.oid, parents, author, envelope.subject))
    commit = make_object("commit", body, format)
    return VersionObjects(commit.oid, (*objects, tree, commit))


def companion_path(version: Oid, key: str) -> str:
    """Return the name under which git finds ``key``'s half in ``version``."""
    return f"{version}:{COMPANIONS}/{escape(key)}"


def record_path(version: Oid) -> str:
    """Return the name under which git finds the record of ``version``."""
    return f"{version}:{FILE}"
