"""What an inbox holds: letters, deliveries, responses, and their form as records (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NewType, TypeAlias, TypeVar

import msgspec

from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import Nonce
from gitbaton.store.model import Version

FORMAT: Final = 1

Handle = NewType("Handle", str)
"""What a message is called here: 32 hex digits made from its sender and id, or its content."""

State: TypeAlias = Literal["waiting", "taken", "answered"]


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """The one answer to a message.

    ``delivery``: the delivery that it answers; 0: none, a person did. ``age``: the inbox's age.
    ``at``: for people.
    """

    text: str
    by: str
    at: str
    delivery: int
    nonce: Nonce
    age: float


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A message's whole life but its text. ``id`` None: its sender gave none."""

    sender: str
    id: str | None
    box: str
    task: str | None
    task_epoch: int | None
    digest: str
    nonce: Nonce
    sent_at: str
    response: Response | None = None


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Who has a message: delivery number ``delivery``, for ``lease`` seconds from ``since``.

    ``since`` is a reading of the clock that ``origin`` names (see ``Clock``).
    """

    delivery: int
    nonce: Nonce
    reader: str
    lease: float
    origin: str
    since: float

    @property
    def token(self) -> str:
        """What proves this delivery, to be given back with the response."""
        return f"{self.delivery}.{self.nonce}"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message that has no response yet: its text, and who has it.

    ``number``: its place among those that were sent with it. ``count``: deliveries so far.
    """

    sender: str
    id: str | None
    box: str
    text: str
    task: str | None
    task_epoch: int | None
    sent_at: str
    number: int = 0
    count: int = 0
    hold: Hold | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message to be sent, checked: see ``drafts.make_draft``."""

    sender: str
    text: str
    box: str = ""
    id: str | None = None
    task: str | None = None
    task_epoch: int | None = None
    dedup_key: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message that was sent: its handle, and the response if there is one.

    ``copy``: it had been sent before, and will not be delivered again.
    """

    handle: Handle
    copy: bool
    response: Response | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message in the hands of a reader, who must respond before the lease is over, or renew."""

    handle: Handle
    version: Version
    delivery: Delivery
    hold: Hold

    @property
    def text(self) -> str:
        """What it says."""
        return self.delivery.text


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list of messages. ``delivery`` is None once there is a response."""

    handle: Handle
    letter: Letter
    delivery: Delivery | None

    @property
    def state(self) -> State:
        """Where the message is in its life."""
        if self.letter.response is not None:
            return "answered"
        held = self.delivery is not None and self.delivery.hold is not None
        return "taken" if held else "waiting"


_StructT = TypeVar("_StructT", bound=msgspec.Struct)


def to_value(struct: msgspec.Struct) -> dict[str, Any]:
    """Return ``struct`` as a record's value."""
    return {"format": FORMAT, **msgspec.to_builtins(struct)}


def from_value(value: Mapping[str, Any], kind: type[_StructT]) -> _StructT:
    """Return what ``to_value`` wrote. Raises DamagedRecord for anything else."""
    if value.get("format") != FORMAT:
        raise DamagedRecord(f"format {value.get('format')!r} is not known here: upgrade gitbaton")
    try:
        return msgspec.convert(dict(value), kind)
    except msgspec.ValidationError as error:
        raise DamagedRecord(str(error)) from error
