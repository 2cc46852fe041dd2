"""How each tool is asked for its version: a table, and one rule for all others (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from gitbaton.core.errors import InvalidInput

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")

# Tool -> the questions, tried in this order until one names a version.
KNOWN: Final[Mapping[str, Sequence[Sequence[str]]]] = {
    "python": (("python3", "--version"), ("python", "--version")),
    "java": (("java", "-version"),),  # "--version" is unknown to Java 8
    "go": (("go", "version"),),
    # The first line of --version has the distribution's own number in it.
    "gcc": (("gcc", "-dumpfullversion", "-dumpversion"),),
    "g++": (("g++", "-dumpfullversion", "-dumpversion"),),
    **{
        name: ((name, "--version"),)
        for name in (
            *("baton", "git", "make", "cmake", "ninja", "clang", "docker", "podman"),
            *("node", "npm", "pnpm", "yarn", "bun", "deno"),
            *("pip", "uv", "ruff", "pytest", "mypy", "poetry"),
            *("rustc", "cargo", "ruby", "php", "perl", "dotnet", "swift", "mvn", "gradle"),
        )
    },
}


def tool_name(text: str, *, field: str = "toolchain") -> str:
    """Return ``text`` as the name of a tool: a program on PATH, never a path (I8)."""
    if not _NAME.fullmatch(text):
        raise InvalidInput(field, f"{text!r:.80} is no tool: letters, digits and . _ + - (no path)")
    return text


def questions(tool: str) -> Sequence[Sequence[str]]:
    """Return the commands that make ``tool`` say its version, in the order to try them."""
    return KNOWN.get(tool) or ((tool, "--version"),)
