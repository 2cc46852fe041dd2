"""Whether one file can match two path globs, by trying: the second opinion on reservations.

``*``, ``?`` and ``[…]`` within a component, ``**`` for any number of components; a last component
without wildcards also covers what is below it, a final ``/`` or ``**`` only what is below.
Instead of all characters, those that occur in the two globs are tried, and one that does not.
That no file is called ``.`` or ``..`` is left out: only globs with such names would notice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_TOKEN = re.compile(r"\*|\?|\[[!^]?\]?[^\]]*\]|.", re.DOTALL)
Parts = tuple[str, ...]
Tokens = tuple[str, ...]


def meet(ones: Iterable[str], others: Iterable[str]) -> bool:
    """Tell whether some file is matched by one of ``ones`` and by one of ``others``."""
    theirs = [_parts(other) for other in others]
    return any(_paths_meet(_parts(one), other) for one in ones for other in theirs)


def _parts(glob: str) -> Parts:
    below = glob == "**" or glob.endswith(("/", "/**"))
    parts = glob.rstrip("/").split("/")
    if below:
        tail = ["**", "*"] if parts[-1] != "**" else ["*"]
        return (*parts, *tail)
    return tuple(parts) if re.search(r"[*?\[]", parts[-1]) else (*parts, "**")


@lru_cache(maxsize=100_000)
def _paths_meet(one: Parts, other: Parts) -> bool:
    if not one and not other:
        return True
    if one[:1] == ("**",):
        return _paths_meet(one[1:], other) or (bool(other) and _paths_meet(one, other[1:]))
    if other[:1] == ("**",):
        return _paths_meet(other, one)
    if not one or not other:
        return False
    tokens = tuple(_TOKEN.findall(one[0])), tuple(_TOKEN.findall(other[0]))
    return _names_meet(*tokens) and _paths_meet(one[1:], other[1:])


@lru_cache(maxsize=100_000)
def _names_meet(one: Tokens, other: Tokens) -> bool:
    if not one and not other:
        return True
    if one[:1] == ("*",):
        return _names_meet(one[1:], other) or (bool(other) and _names_meet(one, other[1:]))
    if other[:1] == ("*",):
        return _names_meet(other, one)
    if not one or not other:
        return False
    tried = {*one[0], *other[0], "\x01"}
    tried |= {chr(code) for first in (one[0], other[0]) for code in _span(first)}
    both = any(_accepts(one[0], c) and _accepts(other[0], c) for c in tried)
    return both and _names_meet(one[1:], other[1:])


def _accepts(token: str, character: str) -> bool:
    if token == "?" or token == character:
        return True
    if len(token) == 1:
        return False
    inside = token[1:-1]
    negated = inside[0] in "!^"
    inside = inside[negated:]
    escaped = "".join("-" if c == "-" else re.escape(c) for c in inside)
    return (re.fullmatch(f"[{escaped}]", character) is not None) != negated


def _span(token: str) -> range:
    """Return the codes to try because of the ranges in a class."""
    if len(token) == 1:
        return range(0)
    return range(min(map(ord, token[1:-1])), min(max(map(ord, token[1:-1])) + 2, 0x250))
