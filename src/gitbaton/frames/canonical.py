"""The one form of a world's documents: the same value is always the same bytes (pure).

UTF-8 JSON with sorted names, one space of indentation a level (people read worlds on their git
host, and git finds lines that did not change), and a newline at the end. Integers keep all their
digits; other numbers are the shortest text that reads back as the same double.
"""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from gitbaton.core.errors import DamagedRecord, InvalidInput

NESTING_LIMIT: Final = 64  # arrays and objects in each other, in one op's value
DIGITS: Final = 1000  # of an integer: more are neither read nor written everywhere

_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_DECODER: Final = msgspec.json.Decoder()

encode_key: Final = _ENCODER.encode
"""Return ``value`` as bytes that are equal exactly for equal values (1 and 1.0 are two values)."""


def encode_document(value: object) -> bytes:
    """Return ``value``, which came from JSON, in the form of a document."""
    return msgspec.json.format(_ENCODER.encode(value), indent=1) + b"\n"


def decode_document(name: str, data: bytes) -> Any:
    """Return the value of the document ``name``, or raise DamagedRecord saying what is wrong."""
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise DamagedRecord(f"{name} is no JSON document: {error}") from error


def copy_value(value: Any) -> Any:
    """Return a copy that shares nothing that can change with ``value``."""
    if isinstance(value, dict | list):
        return _DECODER.decode(_ENCODER.encode(value))
    return value


def nests_too_deep(value: object) -> bool:
    """Tell whether ``value`` has more than NESTING_LIMIT arrays and objects in each other."""
    level = [value]
    for _ in range(NESTING_LIMIT):
        below: list[object] = []
        for one in level:
            if isinstance(one, dict):
                below.extend(one.values())
            elif isinstance(one, list | tuple):
                below.extend(one)
        if not below:
            return False
        level = below
    return any(isinstance(one, dict | list | tuple) for one in level)


def check_value(value: object, field: str) -> None:
    """Raise InvalidInput naming ``field`` unless ``value`` comes back from JSON as it goes in.

    Refused are NaN and infinities, integers of over DIGITS digits, names that are no texts, lone
    surrogates, whatever JSON does not have, and nesting beyond NESTING_LIMIT.
    """
    if nests_too_deep(value):
        raise InvalidInput(field, f"nested more than {NESTING_LIMIT} deep")
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            todo.extend(one)
            todo.extend(one.values())
            if not all(isinstance(name, str) for name in one):
                raise InvalidInput(field, "the name of a member is no text")
        elif isinstance(one, list | tuple):
            todo.extend(one)
        else:
            _check_scalar(one, field)


def _check_scalar(value: object, field: str) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(field, f"{value!r:.80} is no Unicode text") from error
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidInput(field, f"{value} is no JSON number")
    elif not isinstance(value, int):
        raise InvalidInput(field, f"JSON has nothing for a {type(value).__name__}")
    elif abs(value) >= 10**DIGITS:
        raise InvalidInput(field, f"an integer has at most {DIGITS} digits")
