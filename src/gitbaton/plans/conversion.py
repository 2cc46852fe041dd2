"""Turns one TOML value into a field of the model, or says what was expected instead (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from gitbaton.core.config import Seconds
from gitbaton.core.durations import parse_duration
from gitbaton.core.errors import InvalidInput

_KINDS: Final[Mapping[type, str]] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a table",
}


class WrongType(Exception):
    """A value of a wrong type. ``rest``: the position in a list, if it is one item."""

    def __init__(self, text: str, *rest: int) -> None:
        super().__init__(text)
        self.rest = rest


def convert_field(info: FieldInfo, value: Any) -> Any:
    """Return ``value`` as the field ``info`` keeps it; raise WrongType."""
    wanted = _plain(info.type)
    if Seconds in wanted:
        return _seconds(value)
    if isinstance(value, list) and any(kind is not str for kind in map(type, value)):
        at = next(n for n, item in enumerate(value) if type(item) is not str)
        raise WrongType(f"must be a list of texts, and this is {kind_of(value[at])}", at)
    try:
        return msgspec.convert(value, info.type)
    except msgspec.ValidationError as error:
        raise WrongType(f"must be {_wish(wanted)}, not {kind_of(value)}") from error


def _seconds(value: Any) -> Seconds:
    if not isinstance(value, str):
        raise WrongType(f'must be a duration such as "15m", not {kind_of(value)}')
    try:
        return Seconds(parse_duration(value, field="duration"))
    except InvalidInput as error:
        raise WrongType(f"is wrong: {error.message.removeprefix('duration: ')}") from error


def _plain(kind: Any) -> Sequence[Any]:
    """Return the alternatives of an annotated type, without None."""
    while hasattr(kind, "__metadata__"):
        kind = get_args(kind)[0]
    if get_origin(kind) not in (Union, UnionType):
        return [kind]
    alternatives = (inner for one in get_args(kind) for inner in _plain(one))
    return [one for one in alternatives if one is not type(None)]


def _wish(wanted: Sequence[Any]) -> str:
    words = {int: "a whole number", str: "a text"}
    return " or ".join(words.get(kind, "a list of texts") for kind in wanted)


def kind_of(value: Any) -> str:
    """Return what ``value`` is, as people say it."""
    return _KINDS.get(type(value), "a date or time")
