"""Records that bear their own name: how they are kept, and believed again (pure)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from gitbaton.core.errors import DamagedRecord, InvalidInput
from gitbaton.store.model import Value, split_key

StructT = TypeVar("StructT", bound=msgspec.Struct)


def encode_named(record: msgspec.Struct, *, format: int) -> Value:
    """Return the value kept in the store. ``decode_named`` is its inverse."""
    plain: dict[str, Any] = msgspec.to_builtins(record)
    return {"format": format, **plain}


def decode_named(
    key: str,
    value: Value,
    model: type[StructT],
    check: Callable[[StructT], None],
    *,
    format: int,
    name: Callable[[StructT], str],
) -> StructT:
    """Return the record in ``value``, which must name itself as ``key`` does.

    ``check`` raises InvalidInput or ValueError for content that is not allowed. Raises
    DamagedRecord, for whatever a broken or hostile client wrote (I8).
    """
    fields = dict(value)
    written = fields.pop("format", None)
    if type(written) is not int or written < 1:
        raise DamagedRecord(f"{key}: format: {written!r:.40} is no format number")
    if written > format:
        raise DamagedRecord(f"{key}: its format {written} is newer than this baton knows")
    try:
        found = msgspec.convert(fields, model)
        check(found)
    except (msgspec.ValidationError, InvalidInput, ValueError) as error:
        raise DamagedRecord(f"{key}: {error}", next="baton doctor") from error
    if split_key(key)[1] != name(found):
        raise DamagedRecord(f"{key}: it is the record of {name(found)!r}", next="baton doctor")
    return found
