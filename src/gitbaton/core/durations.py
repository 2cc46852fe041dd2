"""Durations as people write them: ``90s``, ``15m``, ``2h``, ``1d``."""

from __future__ import annotations

import re

from gitbaton.core.errors import InvalidInput

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_FORM = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_LONGEST = 366 * 86400.0


def parse_duration(text: str, *, field: str) -> float:
    """Return the seconds that ``text`` stands for, more than 0 and at most a year.

    Raises InvalidInput naming ``field`` for any other form.
    """
    match = _FORM.fullmatch(text.strip())
    if not match:
        raise InvalidInput(field, f"{text!r} is no duration; write 90s, 15m, 2h or 1d")
    seconds = float(match[1]) * _UNITS[match[2]]
    if not 0 < seconds <= _LONGEST:
        raise InvalidInput(field, f"{text!r} must be more than 0 and at most 366d")
    return seconds


def format_duration(seconds: float) -> str:
    """Return ``seconds`` in the largest unit that loses nothing, e.g. ``15m`` or ``90s``."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"
