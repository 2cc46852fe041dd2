"""What is required of a toolchain, and the verdict on what was found (pure).

A requirement is a set of version specifiers (PEP 440): ``>=3.11``, ``>=20,<21``, ``==1.22.*``;
an empty one, or ``*``, asks only that the tool is there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from gitbaton.core.errors import InvalidInput
from gitbaton.plans.toolchain.tools import tool_name

MOST: Final = 50
_LONGEST: Final = 200  # characters
_BARE = re.compile(r"[0-9]+(?:\.[0-9]+)*")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One tool and the versions of it that will do. ``text``: as somebody wrote it."""

    tool: str
    text: str
    accepted: SpecifierSet

    def accepts(self, version: Version) -> bool:
        """Tell whether ``version`` will do; a pre-release counts as what it is on the way to."""
        return self.accepted.contains(version, prereleases=True)


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a tool on one machine. ``version`` None: see ``trouble``."""

    version: Version | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one requirement is met. ``text`` is a sentence for people."""

    tool: str
    required: str
    found: str | None
    met: bool
    text: str


def parse_requirements(
    table: Mapping[str, str], *, field: str = "toolchain"
) -> dict[str, Requirement]:
    """Return what ``table`` (tool -> specifiers) requires.

    Raises InvalidInput naming ``<field>.<tool>``.
    """
    if len(table) > MOST:
        raise InvalidInput(field, f"{len(table)} tools are too many; at most {MOST}")
    return {tool: check_requirement(tool, text, field=field) for tool, text in table.items()}


def check_requirement(tool: str, text: str, *, field: str = "toolchain") -> Requirement:
    """Return what ``text`` requires of ``tool``, or raise InvalidInput naming the field."""
    name = tool_name(tool, field=field)
    return Requirement(name, text, _specifiers(text, field=f"{field}.{tool}"))


def judge(required: Mapping[str, Requirement], found: Mapping[str, Found]) -> list[Verdict]:
    """Return a verdict on each requirement; a tool that is not in ``found`` is not there (I9)."""
    return [_judge(each, found.get(tool)) for tool, each in sorted(required.items())]


def shortcomings(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """Return why a machine will not do, a sentence for each requirement; empty if it will."""
    return tuple(verdict.text for verdict in verdicts if not verdict.met)


def unmet(required: Mapping[str, str], versions: Mapping[str, str]) -> list[str]:
    """Return a sentence for each requirement that ``versions`` (of a worker's record) do not meet.

    What cannot be judged is not met (I9). Raises InvalidInput as ``parse_requirements``.
    """
    found = {tool: _known(version) for tool, version in versions.items()}
    return list(shortcomings(judge(parse_requirements(required), found)))


def _known(version: str) -> Found:
    try:
        return Found(Version(version))
    except InvalidVersion:
        return Found(None, f"is {version!r:.40}, which is no version")


def _judge(required: Requirement, found: Found | None) -> Verdict:
    tool, wanted = required.tool, required.text.strip() or "*"
    if found is None or found.version is None:
        why = (found.trouble if found else "") or "is not there"
        return Verdict(tool, wanted, None, False, f"{tool} {why}; {wanted} is required")
    version = str(found.version)
    if required.accepts(found.version):
        return Verdict(tool, wanted, version, True, f"{tool} {version} meets {wanted}")
    return Verdict(tool, wanted, version, False, f"{tool} is {version}; {wanted} is required")


def _specifiers(text: str, *, field: str) -> SpecifierSet:
    if len(text) > _LONGEST:
        raise InvalidInput(field, f"at most {_LONGEST} characters")
    try:
        return SpecifierSet("" if text.strip() == "*" else text)
    except InvalidSpecifier as error:
        near = f">={text.strip()}" if _BARE.fullmatch(text.strip()) else ">=20,<21"
        raise InvalidInput(field, f"{text!r} is no requirement; write {near!r}") from error
