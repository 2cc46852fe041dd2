"""One version of a record, as its envelope tells it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KNOWN_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Move:
    """A branch or rescue ref that a transaction moved."""

    ref: str
    old: str | None
    new: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version: its commit's id, and what its ``record.json`` says.

    ``companions``: key -> (the version replaced, the new number) of the other members of its
    transaction. ``envelope``: all of it as read.
    """

    oid: str
    key: str
    seq: int
    transaction: str
    heartbeat: bool
    deleted: bool
    after: str | None
    at: str
    actor: str
    subject: str
    companions: Mapping[str, tuple[str | None, int]]
    moves: tuple[Move, ...]
    value: Mapping[str, Any]
    envelope: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The part of the key after the collection."""
        return self.key.partition("/")[2]

    @property
    def is_task(self) -> bool:
        """Whether this is a task, and one that is still there."""
        return self.key.startswith("tasks/") and not self.deleted

    def __str__(self) -> str:
        return f"{self.key} #{self.seq} {self.oid[:10]} ({self.subject})"


def parse_version(oid: str, body: bytes) -> Version:
    """Return the version ``oid`` whose ``record.json`` is ``body``; raise ValueError."""
    return make_version(oid, json.loads(body))


def parse_card(body: bytes) -> Version:
    """Return the version that a board file shows; raise ValueError."""
    card = json.loads(body)
    if not isinstance(card, dict) or set(card) != {"version", "record"}:
        raise ValueError("a card has a version and a record")
    return make_version(_typed(card, "version", str), card["record"])


def make_version(oid: str, envelope: object) -> Version:
    """Return the version that an envelope describes; raise ValueError naming a wrong field."""
    if not isinstance(envelope, dict):
        raise ValueError("an envelope is an object")
    if envelope.get("format") != KNOWN_FORMAT:
        raise ValueError(f"format {envelope.get('format')!r} is not {KNOWN_FORMAT}")
    try:
        moves = tuple(Move(m["ref"], m["old"], m["new"]) for m in envelope.get("moves", ()))
        companions = {k: (c["old"], c["seq"]) for k, c in envelope.get("companions", {}).items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"moves or companions: {error!r}") from error
    after = envelope.get("after")
    return Version(
        oid=oid,
        key=_typed(envelope, "key", str),
        seq=_typed(envelope, "seq", int),
        transaction=_typed(envelope, "transaction", str),
        heartbeat=_typed(envelope, "heartbeat", bool),
        deleted=bool(envelope.get("deleted", False)),
        after=after if isinstance(after, str) else None,
        at=_typed(envelope, "at", str),
        actor=_typed(envelope, "actor", str),
        subject=_typed(envelope, "subject", str),
        companions=companions,
        moves=moves,
        value=_typed(envelope, "value", dict),
        envelope=envelope,
    )


def _typed(source: Mapping[str, Any], name: str, kind: type) -> Any:
    if not isinstance(source.get(name), kind):
        raise ValueError(f"{name}: {source.get(name)!r} is no {kind.__name__}")
    return source[name]
