"""Reads ``baton.toml`` into the model, or says which key is wrong and why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec
from msgspec import NODEFAULT
from msgspec.structs import FieldInfo, fields

from gitbaton.core.config import Config, ProtectedConfig, Seconds, Section
from gitbaton.core.durations import parse_duration
from gitbaton.core.errors import InvalidInput

FILE_NAME = "baton.toml"

SectionT = TypeVar("SectionT", bound=Section)


def read_config(top: Path) -> Config:
    """Return the unprotected configuration of the working tree at ``top``; defaults without a file.

    Raises InvalidInput.
    """
    path = top / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            FILE_NAME, f"{path} cannot be read: {error}", next=f"ls -l {path}"
        ) from error
    return parse_config(text, str(path))


def parse_config(text: str, source: str = FILE_NAME) -> Config:
    """Return the unprotected part of the file ``text``.

    The protected tables are checked too, so that a mistake in them is seen before it is pushed.
    Raises InvalidInput naming ``source`` and the dotted key.
    """
    return _parse(text, source)[0]


def parse_protected(text: str, source: str = FILE_NAME) -> ProtectedConfig:
    """Return the protected part of the file ``text``, ignoring mistakes in the other tables.

    The caller vouches that ``text`` is from the remote's target branch. Raises as parse_config.
    """
    tables = _tables(text, source)
    return _section(ProtectedConfig, _only(tables, ProtectedConfig), "", source)


def _parse(text: str, source: str) -> tuple[Config, ProtectedConfig]:
    tables = _tables(text, source)
    known = [*_names(Config), *_names(ProtectedConfig)]
    for name in tables:
        if name not in known:
            raise InvalidInput(name, _unknown(source, name, known), next=f"edit {source}")
    return (
        _section(Config, _only(tables, Config), "", source),
        _section(ProtectedConfig, _only(tables, ProtectedConfig), "", source),
    )


def _tables(text: str, source: str) -> dict[str, Any]:
    import tomllib  # most clones have no baton.toml

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(source, f"is no TOML: {error}", next=f"edit {source}") from error


def _only(tables: Mapping[str, Any], model: type[Section]) -> dict[str, Any]:
    return {name: table for name, table in tables.items() if name in _names(model)}


def _section(model: type[SectionT], given: Any, at: str, source: str) -> SectionT:
    if not isinstance(given, dict):
        raise InvalidInput(at, f"must be a table [{at}] (in {source})", next=f"edit {source}")
    known = {info.encode_name: info for info in fields(model)}
    values: dict[str, Any] = {}
    for name, value in given.items():
        dotted = f"{at}.{name}" if at else name
        if name not in known:
            raise InvalidInput(dotted, _unknown(source, name, list(known)), next=f"edit {source}")
        values[known[name].name] = _value(known[name], value, dotted, source)
    for info in known.values():
        required = info.default is NODEFAULT and info.default_factory is NODEFAULT
        if required and info.name not in values:
            raise InvalidInput(
                f"{at}.{info.name}", f"is required (in {source})", next=f"edit {source}"
            )
    return model(**values)


def _value(info: FieldInfo, value: Any, dotted: str, source: str) -> Any:
    plain = get_args(info.type)[0] if get_origin(info.type) is Annotated else info.type
    if isinstance(plain, type) and issubclass(plain, Section):
        return _section(plain, value, dotted, source)
    if get_origin(plain) is dict and isinstance(value, dict):
        inner = get_args(plain)[1]
        if isinstance(inner, type) and issubclass(inner, Section):
            return {
                name: _section(inner, table, f"{dotted}.{name}", source)
                for name, table in value.items()
            }
    try:
        return msgspec.convert(value, info.type, dec_hook=_duration)
    except msgspec.ValidationError as error:
        raise InvalidInput(dotted, f"{error} (in {source})", next=f"edit {source}") from error


def _duration(wanted: type, value: Any) -> Any:
    if wanted is not Seconds:
        raise NotImplementedError(wanted)  # so msgspec wants it: it then names key and type itself
    if not isinstance(value, str):
        raise ValueError("a duration is text such as '15m'")
    try:
        return Seconds(parse_duration(value, field="duration"))
    except InvalidInput as error:
        raise ValueError(error.message.removeprefix("duration: ")) from error


def _names(model: type[Section]) -> list[str]:
    return [info.encode_name for info in fields(model)]


def _unknown(source: str, name: str, known: list[str]) -> str:
    import difflib  # only for mistakes

    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"no such key; did you mean {near[0]!r}? (in {source})"
    listed = ", ".join(sorted(known)) or "none"
    return f"no such key; known here: {listed} (in {source})"
