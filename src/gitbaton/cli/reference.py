"""Writes the reference pages from the code: ``python -m gitbaton.cli.reference DIR``.

A test compares what is in ``docs/reference`` with what this would write.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

import click
from msgspec import NODEFAULT, Meta
from msgspec.structs import FieldInfo, fields

from gitbaton.cli.catalogue import SECTIONS
from gitbaton.cli.verb import Family, Verb, root
from gitbaton.core.config import Config, ProtectedConfig, Seconds, Section
from gitbaton.core.durations import format_duration

_MADE = "<!-- Made by `python -m gitbaton.cli.reference docs/reference`; do not edit. -->\n"
_TYPES: Mapping[Any, str] = {
    Seconds: "duration",
    str: "text",
    int: "number",
    bool: "true or false",
    type(None): "unset",
}

_ANSWERS = """\
Exit status: 0 done, 1 refused or failed as documented, 2 usage, 3 a bug in baton, 69 the remote
cannot be reached, 74 the answer could not be written (what was asked for may have been done), 75
nothing to claim, 76 the claim is no longer yours, 77 the host or a gate refuses, 130 interrupted,
141 the reader of standard output has left. A standard stream that is closed (`>&-`) is taken as
unwanted.

JSON is UTF-8 in every locale. A path in it that is not UTF-8, or that begins with a double quote,
stands within double quotes as git quotes it (`core.quotePath`): `nu\\xff` and `"nu\\377"` are two
files. Other text that is not Unicode is quoted likewise."""


def render_pages() -> dict[str, str]:
    """Return the reference pages: file name -> markdown."""
    return {"cli.md": render_cli(), "configuration.md": render_configuration()}


def render_cli() -> str:
    """Return the page about every verb and its options."""
    commands = root()
    context = click.Context(commands, info_name="baton")
    parts = [_MADE, "# The command line\n", (commands.help or "") + "\n"]
    parts.append("Every verb takes, before or after it:\n")
    parts.append("".join(_options(context, Verb("any").shared)))
    parts.append(f"{_ANSWERS}\n")
    for title, verbs in SECTIONS.items():
        parts.append(f"## {title}\n")
        for name in verbs:
            command = commands.get_command(context, name)
            assert command is not None, name
            if isinstance(command, Family):
                words = inspect.cleandoc(command.help or "")
                parts.append(f"### `baton {name} VERB`\n\n{words}\n")
            inner = click.Context(command, info_name=name, parent=context)
            for path, member in members(name, command):
                parts += _verb(inner, path, member)
    return "\n".join(parts)


def render_configuration() -> str:
    """Return the page about every key of ``baton.toml``."""
    intro = (
        "The file stands at the root of the repository. Durations are written `90s`, `15m`, `2h` "
        "or `1d`. An unknown key is an error that names the nearest known one.\n"
    )
    protected = (
        "Read from the remote's target branch (without a remote: from the clone's own), never "
        "from a working tree that an agent may have edited. The remote's default branch may name "
        "another `target`; then the file there counts. A gate's list takes effect within a "
        "minute everywhere, and at once for `approve`.\n"
    )
    parts = [
        _MADE,
        "# `baton.toml`\n",
        intro,
        "## What steers this machine\n",
        "Read from the working tree that a command runs in.\n",
        *_tables(Config),
        "## What protects people\n",
        protected,
        *_tables(ProtectedConfig),
    ]
    return "\n".join(parts)


def members(name: str, command: click.Command) -> Iterator[tuple[str, Verb]]:
    """Yield each command that ``command`` is, by its full name: itself, or those of its family."""
    if isinstance(command, Family):
        for inner in command.commands.values():
            yield from members(f"{name} {inner.name}", inner)
    else:
        assert isinstance(command, Verb), name
        yield name, command


def _verb(context: click.Context, name: str, command: Verb) -> Iterator[str]:
    own = [p for p in command.params if p not in command.shared]
    usage = " ".join(piece for p in own for piece in p.get_usage_pieces(context))
    yield f"### `baton {name}{' ' + usage if usage else ''}`\n"
    yield f"{inspect.cleandoc(command.help or '')}\n"
    rows = list(_options(context, own))
    if rows:
        yield "".join(rows)


def _options(context: click.Context, params: list[Any]) -> Iterator[str]:
    for param in params:
        record = param.get_help_record(context)
        if isinstance(param, click.Option) and record is not None:
            yield f"- `{record[0]}`: {record[1]}\n"


def _tables(model: type[Section]) -> Iterator[str]:
    for info in fields(model):
        if get_origin(info.type) is Annotated:  # a table of texts, whose names are the user's
            kind, meta = get_args(info.type)
            yield f"### `[{info.name}]`\n"
            yield f"A {_type(kind)}. {meta.description}\n"
            continue
        section, many = _section_of(info)
        title = f"{info.name}.NAME" if many else info.name
        words = (section.__doc__ or "").partition(": ")[2]
        yield f"### `[{title}]`\n"
        yield f"{words[:1].upper()}{words[1:]}\n"
        rows = list(_rows(section))
        if rows:
            yield (
                "\n".join(("| key | type | default | meaning |", "|---|---|---|---|", *rows)) + "\n"
            )


def _section_of(info: FieldInfo) -> tuple[type[Section], bool]:
    if get_origin(info.type) is dict:
        return get_args(info.type)[1], True
    section: type[Section] = info.type
    return section, False


def _rows(section: type[Section]) -> Iterator[str]:
    for info in fields(section):
        plain, meta = get_args(info.type)
        assert isinstance(meta, Meta)
        yield f"| `{info.name}` | {_type(plain)} | {_default(info)} | {meta.description} |"


def _type(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin is tuple:
        return f"list of {_type(inner[0])}"
    if origin is dict:
        return f"table of {_type(inner[1])}"
    if isinstance(kind, UnionType):
        return _type(inner[0])
    if origin is Annotated:
        return _type(inner[0])
    return _TYPES[kind]


def _default(info: FieldInfo) -> str:
    value = info.default
    if value is NODEFAULT:
        return "required" if info.default_factory is NODEFAULT else "empty"
    if value is None:
        return "unset"
    if isinstance(value, Seconds):
        return f"`{format_duration(value)}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value) or "empty"
    return f"`{value}`"


def main(directory: Path) -> None:
    """Write the pages into ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in render_pages().items():
        (directory / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
