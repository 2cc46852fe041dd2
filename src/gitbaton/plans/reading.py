"""Reads a plan file and reports every mistake in it with its line (pure).

What is wrong in itself is found here: syntax, unknown keys, types, contents. What is wrong
between phases is found in ``plans/rules.py``, among the phases that could be read.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from msgspec import NODEFAULT
from msgspec.structs import FieldInfo, fields

from gitbaton.core.config import Section
from gitbaton.core.errors import InvalidInput
from gitbaton.plans.contents import Judge
from gitbaton.plans.conversion import WrongType, convert_field, kind_of
from gitbaton.plans.model import PHASE_LIMIT, Header, Phase, Plan
from gitbaton.plans.positions import find_places
from gitbaton.plans.problem import Code, Path, Places, Problem

SIZE_LIMIT: Final = 8 * 1024 * 1024  # bytes

_AT: Final = re.compile(r" \(at line (\d+), column \d+\)$")
_EXAMPLES: Final[Mapping[str, str]] = {
    "title": 'title = "Say what is done"',
    "deliverable": 'deliverable = "what exists afterwards"',
    "id": 'id = "a-short-name"',
    "name": 'name = "a-short-name"',
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One ``[[phase]]``: where it stands and what could be read of it. ``given``: its keys."""

    number: int
    phase: Phase
    given: frozenset[str]

    def path(self, *rest: str | int) -> Path:
        """Return the path of something in this table."""
        return ("phase", self.number, *rest)


@dataclass(slots=True)
class Reading:
    """What a file says, as far as it could be read, and the problems found on the way."""

    header: Header | None = None
    toolchain: dict[str, str] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    places: Places = field(default_factory=lambda: Places({}))
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: Path, code: Code, message: str, *, phase: str | None = None) -> None:
        """Note an error at ``path``."""
        where = next((part for part in reversed(path) if isinstance(part, str)), None)
        line = self.places.line(path)
        self.problems.append(Problem(line, "error", code, message, phase, where))

    @property
    def sound(self) -> bool:
        """Whether no error was found."""
        return not any(problem.level == "error" for problem in self.problems)

    def plan(self) -> Plan | None:
        """Return the plan; None if there is an error."""
        if self.header is None or not self.sound:
            return None
        phases = tuple(entry.phase for entry in self.entries)
        return Plan(plan=self.header, toolchain=self.toolchain, phase=phases)


def read_plan(data: bytes) -> Reading:
    """Return what the file ``data`` says. Nothing is raised: mistakes are in ``problems``."""
    reading = Reading()
    document = _document(data, reading)
    if document is None:
        return reading
    for name in document:
        if name not in _fields(Plan):
            reading.add((name,), "unknown-key", _unknown(name, _fields(Plan), "table"))
    _read_header(document, reading)
    _read_toolchain(document, reading)
    _read_phases(document, reading)
    return reading


def _document(data: bytes, reading: Reading) -> dict[str, Any] | None:
    """Return what the file says as plain values; None, and the mistake noted, if it is no TOML."""
    try:
        text = _decode(data)
        document = tomllib.loads(text)
        reading.places = find_places(text)
        return document
    except _NoText as error:
        line, words = error.line, str(error)
    except RecursionError:
        line, words = 1, "it is nested too deeply"
    except ValueError as error:  # TOMLDecodeError, and numbers that Python refuses to read
        match = _AT.search(str(error))
        line = int(match[1]) if match else text.rstrip("\n").count("\n") + 1
        what = _AT.sub("", str(error)).removesuffix(" (at end of document)")
        words = f"that is no TOML: {what[:1].lower()}{what[1:]}"
    reading.problems.append(Problem(line, "error", "syntax", words))
    return None


class _NoText(Exception):
    """The file is no text. ``line``: where."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__(words)
        self.line = line


def _decode(data: bytes) -> str:
    if len(data) > SIZE_LIMIT:
        raise _NoText(1, f"a plan has at most {SIZE_LIMIT} bytes; this file has {len(data)}")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise _NoText(data.count(b"\n", 0, error.start) + 1, "that is no UTF-8 text") from error


def _read_header(document: Mapping[str, Any], reading: Reading) -> None:
    given = document.get("plan")
    if given is None:
        reading.add(("plan",), "missing", 'the table [plan] is missing; write: name = "…" in it')
        return
    if not isinstance(given, dict):
        reading.add(("plan",), "type", "[plan] must be a table")
        return
    values = _read_table(Header, given, ("plan",), "[plan]", None, reading)
    for path, error in Judge().header(values):
        reading.add(("plan", *path), "invalid", f"[plan] {error.message}")
        values.pop(str(path[0]), None)
    if "name" in values:
        reading.header = Header(**values)


def _read_toolchain(document: Mapping[str, Any], reading: Reading) -> None:
    given = document.get("toolchain", {})
    if not isinstance(given, dict):
        reading.add(("toolchain",), "type", '[toolchain] must be a table such as python = ">=3.11"')
        return
    if not given:
        return
    from gitbaton.plans.toolchain.requirements import check_requirement

    for tool, wanted in given.items():
        path = ("toolchain", tool)
        if not isinstance(wanted, str):
            words = f'{tool} must be a text such as ">=3.11", not {kind_of(wanted)}'
            reading.add(path, "type", f"[toolchain] {words}")
            continue
        try:
            check_requirement(tool, wanted)
            reading.toolchain[tool] = wanted
        except InvalidInput as error:
            said = error.message.removeprefix(f"{error.field}: ")
            reading.add(path, "toolchain", f"[toolchain] {tool}: {said}")


def _read_phases(document: Mapping[str, Any], reading: Reading) -> None:
    given = document.get("phase", [])
    if not isinstance(given, list):
        reading.add(("phase",), "type", "write [[phase]] with two brackets: there are many")
        return
    if not given:
        reading.add(("phase",), "missing", "there is no [[phase]]")
    if len(given) > PHASE_LIMIT:
        words = f"{len(given)} phases are too many; at most {PHASE_LIMIT}"
        reading.add(("phase", PHASE_LIMIT), "too-many", words)
        return
    judge = Judge(reading.header.name if reading.header else "x")
    for number, table in enumerate(given):
        path: Path = ("phase", number)
        if not isinstance(table, dict):
            reading.add(path, "type", f"a phase must be a table, not {kind_of(table)}")
            continue
        id = table.get("id")
        name = id if isinstance(id, str) else None
        called = f"phase {name!r}:" if name is not None else f"phase number {number + 1}:"
        values = _read_table(Phase, table, path, called, name, reading)
        for rest, error in judge.phase(values):
            reading.add((*path, *rest), "invalid", f"{called} {error.message}", phase=name)
            values.pop(str(rest[0]), None)
        if "id" in values:
            phase = Phase(**{"title": values["id"], "deliverable": "", **values})
            reading.entries.append(Entry(number, phase, frozenset(table)))


def _read_table(
    model: type[Section],
    given: Mapping[str, Any],
    path: Path,
    called: str,
    phase: str | None,
    reading: Reading,
) -> dict[str, Any]:
    """Return the fields of ``model`` that ``given`` has right, and report the others."""
    known = _fields(model)
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            words = f"{called} {_unknown(name, known, 'key')}"
            reading.add((*path, name), "unknown-key", words, phase=phase)
            continue
        try:
            values[name] = convert_field(known[name], value)
        except WrongType as wrong:
            words = f"{called} {name} {wrong}"
            reading.add((*path, name, *wrong.rest), "type", words, phase=phase)
    for info in known.values():
        blank = given.get(info.name) in ("", [])
        if info.default is NODEFAULT and (info.name not in given or blank):
            word = "empty" if blank else "missing"
            words = f"{called} {info.name} is {word}; write: {_EXAMPLES[info.name]}"
            where = (*path, info.name) if blank else path
            reading.add(where, "missing", words, phase=phase)
            values.pop(info.name, None)
    return values


@cache
def _fields(model: type[Section]) -> Mapping[str, FieldInfo]:
    return {info.name: info for info in fields(model)}


def _unknown(name: str, known: Iterable[str], what: str) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    if near:
        return f"there is no {what} {name!r}; did you mean {near[0]!r}?"
    return f"there is no {what} {name!r}; known here: {', '.join(sorted(known))}"
