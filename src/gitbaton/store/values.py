"""Values as bytes: what a record may hold, and its one form on disk and on the wire."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from gitbaton.core.errors import DamagedRecord, InvalidInput
from gitbaton.store.model import Delete, Key, Transaction, Value

MAX_DEPTH = 100
"""Lists and objects nested deeper are refused: a decoder elsewhere may have a smaller stack."""

_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(dict[str, Any])


def encode_value(value: Value, *, field: str = "value") -> bytes:
    """Return ``value`` as UTF-8 JSON with sorted names.

    Raises InvalidInput, naming the place below ``field``, for anything that would not come back
    as it went in (NaN, bytes, sets, dates, names that are no strings, lone surrogates). Tuples
    come back as lists.
    """
    return _ENCODER.encode(_plain(value, field, 0))


def decode_value(data: bytes) -> Value:
    """Return the value that ``encode_value`` wrote, or raise DamagedRecord saying what is wrong."""
    try:
        value: Value = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedRecord(f"not a JSON object: {error}") from error
    return value


def copy_value(value: Value) -> Value:
    """Return a copy that shares nothing with ``value``, which must be one that can be encoded."""
    return decode_value(_ENCODER.encode(value))


def encode_writes(transaction: Transaction) -> dict[Key, bytes | Delete]:
    """Return what ``transaction`` writes, as bytes.

    Every text of it is checked too, so that an engine which calls this for all transactions of a
    commit refuses bad input (InvalidInput) before it has changed anything.
    """
    for field, text in (
        ("subject", transaction.subject),
        ("actor", transaction.actor.name),
        ("email", transaction.actor.email),
        *(("key", key) for key in transaction.write),
    ):
        _check_text(text, field)
    return {
        key: written if isinstance(written, Delete) else encode_value(written, field=key)
        for key, written in transaction.write.items()
    }


def _plain(value: object, where: str, depth: int) -> object:
    if depth > MAX_DEPTH:
        raise InvalidInput(where, f"nested more than {MAX_DEPTH} deep")
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _check_text(value, where)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidInput(where, f"{value} is no JSON number")
        return value
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{i}]", depth + 1) for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {
            _name(name, where): _plain(item, f"{where}.{name}", depth + 1)
            for name, item in value.items()
        }
    raise InvalidInput(where, f"a {type(value).__name__} cannot be kept in a record")


def _name(name: object, where: str) -> str:
    if not isinstance(name, str):
        raise InvalidInput(where, f"the name {name!r} is no string")
    return _check_text(name, where)


def _check_text(text: str, field: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(field, f"{text!r} is no Unicode text (lone surrogate)") from error
    return text
