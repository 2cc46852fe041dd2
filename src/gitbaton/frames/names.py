"""Names that become files in the world and in deltas: what is allowed (I8, pure).

Lowercase only, and nothing that any file system reads otherwise: two documents never become one
file where capitals are not told apart, none leaves its directory, and none hides or is special.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from gitbaton.core.errors import InvalidInput

DOCUMENT_LIMIT: Final = 200  # characters
STREAM_LIMIT: Final = 1000  # streams of one worker
SEGMENT: Final = "[a-z0-9_][a-z0-9_.-]*"
DOCUMENT_PATTERN: Final = (
    # not in any place: two dots, a dot or .json at the end of a directory, a name of a device
    r"^(?!(.*/)?(con|prn|aux|nul|com[0-9]|lpt[0-9])[./])(?!.*(\.\.|\./|\.json/))"
    f"({SEGMENT}/){{0,7}}{SEGMENT}\\.json$"
)
RECORD: Final = "frame.json"
REPORT: Final = "frame-report.json"
WORLD: Final = "world.json"
RESERVED: Final = frozenset({RECORD, REPORT, WORLD})
"""Documents that only the primary and people write; an op on one is quarantined."""

_DOCUMENT: Final = re.compile(DOCUMENT_PATTERN)
_STREAM: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def document_fault(name: str) -> str | None:
    """Return why ``name`` cannot be the file name of a document, None if it can."""
    if len(name) > DOCUMENT_LIMIT:
        return f"a document's name has at most {DOCUMENT_LIMIT} characters"
    return _shape_fault(name)


def target_fault(name: str) -> str | None:
    """Return why an op may not change the document ``name``, None if it may."""
    if name in RESERVED:
        return f"{name} is kept by the frames themselves"
    return document_fault(name)


@lru_cache(maxsize=16384)  # streams name the same few documents again and again
def _shape_fault(name: str) -> str | None:
    if name.endswith("\n") or not _DOCUMENT.match(name):
        return (
            f"{name!r:.80} is no document: lowercase letters, digits and _ . - with directories "
            "between /, ending in .json"
        )
    return None


def document_name(text: str, *, field: str = "doc") -> str:
    """Return ``text`` as the file name of a document, or raise InvalidInput naming ``field``."""
    fault = document_fault(text)
    if fault is not None:
        raise InvalidInput(field, fault)
    return text


def stream_name(text: str, *, field: str = "stream") -> str:
    """Return ``text`` as the name of a stream, or raise InvalidInput naming ``field``."""
    if not _STREAM.fullmatch(text):
        raise InvalidInput(
            field, f"{text!r:.80} is no stream: lowercase letters, digits, _ and - (at most 64)"
        )
    return text
