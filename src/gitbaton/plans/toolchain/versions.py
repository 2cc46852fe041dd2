"""Versions as tools print them, read as PEP 440 orders them (pure)."""

from __future__ import annotations

import re
from typing import Final

from packaging.version import InvalidVersion, Version

_LONGEST: Final = 4000  # characters of a tool's words that are looked at
# "v20.1.0", "go1.22.1", "1.8.0_392", "3.13.0rc1", "2.47.1.windows.1"; not the 6 of "x86_64".
_DOTTED: Final = re.compile(r"(?<![\w.])(?:v|go)?(\d{1,9}(?:[._]\d{1,9})+)((?:a|b|rc)\d{1,9})?")
_LONE: Final = re.compile(r"(?<![\w.:/-])v?(\d{1,9})(?![\w:/-]|\.\d)")


def read_version(said: str) -> Version | None:
    """Return the first version in what a tool ``said``, None where there is none.

    A dotted one before a lone number. What follows the numbers is dropped (``-nightly``,
    ``+dfsg1``, ``.windows.1``), but for the marks of a pre-release that PEP 440 knows.
    """
    text = said[:_LONGEST]
    match = _DOTTED.search(text)
    if match is not None:
        words = match[1].replace("_", ".") + (match[2] or "")
    else:
        lone = _LONE.search(text)
        if lone is None:
            return None
        words = lone[1]
    try:
        return Version(words)
    except InvalidVersion:
        return None
