"""A plan: what shall be pushed, with the objects it needs and the versions that it makes."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitbaton.core.ids import Oid
from gitbaton.git.objects import RawObject
from gitbaton.git.remote import RefUpdate
from gitbaton.store.gitengine.envelope import Envelope
from gitbaton.store.gitengine.layout import live_path, parked_path
from gitbaton.store.model import Key


@dataclass(frozen=True, slots=True)
class Stamp:
    """What stays the same however often a transaction is tried: its nonce and its time."""

    transaction: str
    at: str
    seconds: int


@dataclass(slots=True)
class Plan:
    """Updates to push, with the objects they need and the versions that they make."""

    updates: list[RefUpdate] = field(default_factory=list)
    objects: list[RawObject] = field(default_factory=list)
    versions: dict[Key, Oid] = field(default_factory=dict)
    envelopes: dict[Key, Envelope] = field(default_factory=dict)
    deleted: set[Key] = field(default_factory=set)
    board_commit: Oid | None = None


@dataclass(slots=True)
class BoardEdit:
    """A change of the board: files by path, and commits to keep reachable from it."""

    files: dict[str, Oid | None] = field(default_factory=dict)
    keep: list[Oid] = field(default_factory=list)
    trailers: list[str] = field(default_factory=list)

    def park(self, name: str, card: Oid) -> None:
        self.files[parked_path(name)] = card
        self.files[live_path(name)] = None

    def mark(self, name: str, card: Oid) -> None:
        self.files[live_path(name)] = card
        self.files[parked_path(name)] = None

    def drop(self, name: str) -> None:
        self.files[live_path(name)] = None
        self.files[parked_path(name)] = None
