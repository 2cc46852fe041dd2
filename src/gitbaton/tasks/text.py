"""Foreign text made safe to keep and to show: bounded, no control characters (I8)."""

from __future__ import annotations

import re
from typing import Final

TITLE_LIMIT: Final = 200  # characters
REASON_LIMIT: Final = 4_000  # characters
RESULT_LIMIT: Final = 16_000  # characters
SUBJECT_LIMIT: Final = 160  # characters

_BIDI = "\u202a-\u202e\u2066-\u2069"  # turns the reading direction: shows other text than is there
_NEVER = rf"\ud800-\udfff{_BIDI}"  # lone surrogates have no UTF-8
_UNSAFE_LINE = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029{_NEVER}]")
_UNSAFE_TEXT = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_NEVER}]")
_CUT = "\n[...]\n"


def is_line(text: str) -> bool:
    """Tell whether ``text`` is one line without control or direction-changing characters."""
    return _UNSAFE_LINE.search(text) is None


def is_text(text: str) -> bool:
    """Tell whether ``text`` has no control characters besides line feed and tab."""
    return _UNSAFE_TEXT.search(text) is None


def clean_line(text: str, limit: int = SUBJECT_LIMIT) -> str:
    """Return ``text`` as one printable line of at most ``limit`` characters."""
    line = " ".join(_UNSAFE_LINE.sub(" ", text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def clean_text(text: str, limit: int = REASON_LIMIT) -> str:
    """Return ``text`` without control characters, at most ``limit`` characters long.

    What is too long loses its middle: the head says what happened, the tail of a log says why.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    plain = _UNSAFE_TEXT.sub("\N{REPLACEMENT CHARACTER}", plain).strip()
    if len(plain) <= limit:
        return plain
    head = limit // 4
    return plain[:head] + _CUT + plain[-(limit - head - len(_CUT)) :]
