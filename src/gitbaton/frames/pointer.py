"""JSON Pointers (RFC 6901): text to steps and back (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, TypeAlias

from gitbaton.core.errors import InvalidInput

POINTER_LIMIT: Final = 1024  # characters
STEP_LIMIT: Final = 32
POINTER_PATTERN: Final = f"^(/([^/~]|~[01])*){{0,{STEP_LIMIT}}}$"

Steps: TypeAlias = tuple[str, ...]
"""The names on the way down, as they stand in the document (nothing escaped)."""

_BAD_ESCAPE: Final = re.compile(r"~(?![01])")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")


def read_pointer(text: str) -> Steps | str:
    """Return the steps of the pointer ``text``, or the reason why it is none."""
    if len(text) > POINTER_LIMIT:
        return f"a pointer has at most {POINTER_LIMIT} characters"
    return _split(text)


@lru_cache(maxsize=16384)  # streams name the same places again and again
def _split(text: str) -> Steps | str:
    if not text:
        return ()
    if text[0] != "/":
        return f"{text!r:.80} is no JSON Pointer: it is empty or begins with /"
    if _BAD_ESCAPE.search(text):
        return f"{text!r:.80} is no JSON Pointer: write ~0 for ~ and ~1 for /"
    parts = text[1:].split("/")
    if len(parts) > STEP_LIMIT:
        return f"a pointer has at most {STEP_LIMIT} steps"
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def parse_pointer(text: str, *, field: str = "path") -> Steps:
    """Return the steps of the pointer ``text``, or raise InvalidInput naming ``field``."""
    steps = read_pointer(text)
    if isinstance(steps, str):
        raise InvalidInput(field, steps)
    return steps


def render_pointer(steps: Iterable[str]) -> str:
    """Return the pointer with these steps."""
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)


def read_index(step: str) -> int | None:
    """Return the array index that ``step`` is (no sign, no leading zeros), None if it is none."""
    return int(step) if _INDEX.fullmatch(step) else None
