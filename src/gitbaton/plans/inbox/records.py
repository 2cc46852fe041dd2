"""Where in a store the parts of an inbox lie, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import msgspec

from gitbaton.core.errors import DamagedRecord
from gitbaton.plans.inbox.model import Delivery, Handle, Letter, from_value
from gitbaton.store.model import Key, Version, make_key
from gitbaton.store.protocol import Store

CLOCK: Final = make_key("clocks", "inbox")

_LETTERS: Final = "messages"
_DELIVERIES: Final = "deliveries"
_StructT = TypeVar("_StructT", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Found(Generic[_StructT]):
    """A record of an inbox and the version that must be named to replace it."""

    version: Version
    value: _StructT


def letter_key(handle: Handle) -> Key:
    """Return where the letter ``handle`` is."""
    return make_key(_LETTERS, handle)


def delivery_key(handle: Handle) -> Key:
    """Return where the delivery of ``handle`` is."""
    return make_key(_DELIVERIES, handle)


def read_one(store: Store, key: Key, kind: type[_StructT]) -> Found[_StructT] | None:
    """Return the record under ``key``; None if there is none. Raises DamagedRecord."""
    snapshot = store.read(key)
    if key in snapshot.damaged:
        raise DamagedRecord(f"{key}: {snapshot.damaged[key]}")
    record = snapshot.records.get(key)
    return None if record is None else Found(record.version, from_value(record.value, kind))


@dataclass(frozen=True, slots=True)
class Part(Generic[_StructT]):
    """All records of one kind, by handle, and what cannot be read, by key."""

    found: dict[Handle, Found[_StructT]]
    damaged: dict[Key, str]


def read_letters(store: Store, prefix: str = "") -> Part[Letter]:
    """Return the letters whose handle begins with ``prefix``."""
    return _read_part(store, _LETTERS, prefix, Letter)


def read_deliveries(store: Store, prefix: str = "") -> Part[Delivery]:
    """Return the deliveries of messages whose handle begins with ``prefix``."""
    return _read_part(store, _DELIVERIES, prefix, Delivery)


def _read_part(store: Store, collection: str, prefix: str, kind: type[_StructT]) -> Part[_StructT]:
    snapshot = store.read(f"{collection}/{prefix}")
    found: dict[Handle, Found[_StructT]] = {}
    damaged = dict(snapshot.damaged)
    for key, record in snapshot.records.items():
        try:
            value = from_value(record.value, kind)
        except DamagedRecord as error:
            damaged[key] = error.message
            continue
        found[Handle(key.partition("/")[2])] = Found(record.version, value)
    return Part(found, damaged)
