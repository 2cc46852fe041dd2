"""Path globs: what they match, and whether one file can match two of them (exactly).

A glob is a relative path whose components are separated by ``/``:

- ``*`` any characters within one component (also a leading dot), ``?`` exactly one,
- ``[abc]``, ``[a-z]`` one of these, ``[!abc]`` or ``[^abc]`` one other; ``]`` first is itself;
  a wildcard as itself is written in brackets: ``[*]``,
- ``**`` as a whole component: any number of components, also none; at the end at least one,
- a last component without wildcards also covers everything below it, should it be a directory;
  a trailing ``/`` covers only what is below (so ``**/`` at the end is ``**``).

Two globs overlap if and only if some file name is matched by both. Both are read as automata and
the product is searched for a word they share: one search over components, and inside it one over
characters. (Hopcroft and Ullman, closure of the regular languages under intersection.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from functools import lru_cache
from typing import Final, TypeAlias

from gitbaton.core.errors import InvalidInput

LONGEST: Final = 300  # characters in one glob
_WILD: Final = frozenset("*?[")
_LAST: Final = 0x10FFFF
_ORDINARY: Final = "xabcdefghijklmnopqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. "

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""A set of characters: sorted, disjoint, inclusive ranges of code points."""


class Many(Enum):
    """Any number of characters (in a name) or of names (in a path), also none."""

    RUN = "*"
    TREE = "**"


Name: TypeAlias = tuple[Ranges | Many, ...]
Path: TypeAlias = tuple[Name | Many, ...]

_ANY_CHARACTER: Final[Ranges] = ((1, ord("/") - 1), (ord("/") + 1, _LAST))
_ANY_NAME: Final[Name] = (Many.RUN,)


def check_glob(glob: str, *, field: str = "paths") -> str:
    """Return ``glob``, or raise InvalidInput naming ``field`` when it is not one."""
    try:
        _parse(glob)
    except ValueError as error:
        raise InvalidInput(field, f"{glob!r} is no path glob: {error}") from error
    return glob


def match(glob: str, path: str) -> bool:
    """Tell whether the file ``path`` (relative, ``/`` between components) is matched."""
    literal: Path = tuple(tuple(_only(ord(c)) for c in part) for part in path.split("/"))
    return _common_path(_parse(glob), literal) is not None


@lru_cache(maxsize=65536)
def common_file(one: str, other: str) -> str | None:
    """Return the name of a file that both globs match, None if there is no such file."""
    if _apart(one, other):
        return None
    return _common_path(_parse(one), _parse(other))


def overlap(ones: Iterable[str], others: Sequence[str]) -> tuple[str, str, str] | None:
    """Return (glob, other glob, a file both match) for the first pair that meets, or None."""
    for one in ones:
        for other in others:
            shared = common_file(one, other)
            if shared is not None:
                return one, other, shared
    return None


def _apart(one: str, other: str) -> bool:
    """Tell quickly whether the parts before the first wildcards already differ."""
    return any(a != b for a, b in zip(_prefix(one), _prefix(other), strict=False))


@lru_cache(maxsize=4096)
def _prefix(glob: str) -> tuple[str, ...]:
    """Return the leading components without wildcards; what they match starts with them."""
    parts = []
    for part in glob.split("/"):
        if not part or _WILD & set(part):
            break
        parts.append(part)
    return tuple(parts)


# --- reading


@lru_cache(maxsize=4096)
def _parse(glob: str) -> Path:
    if not glob or len(glob) > LONGEST:
        raise ValueError(f"write 1 to {LONGEST} characters")
    if "\\" in glob or any(ord(c) < 32 or ord(c) == 127 for c in glob):
        raise ValueError("no backslashes or control characters; separate with /")
    if any(0xD800 <= ord(c) <= 0xDFFF for c in glob):
        raise ValueError("that is not Unicode text")
    if glob.startswith("/"):
        raise ValueError("write it relative to the repository's root, without the first /")
    below = glob.endswith("/")
    parts = (glob[:-1] if below else glob).split("/")
    names: list[Name | Many] = []
    for part in parts:
        if part in ("", ".", ".."):
            raise ValueError("no empty, '.' or '..' components")
        names.append(Many.TREE if part == "**" else _parse_name(part))
    if below or parts[-1] == "**":
        names += [Many.TREE, _ANY_NAME]
    elif not _WILD & set(parts[-1]):
        names.append(Many.TREE)
    return tuple(names)


def _parse_name(part: str) -> Name:
    if "**" in part:
        raise ValueError("** stands alone between two /")
    tokens: list[Ranges | Many] = []
    at = 0
    while at < len(part):
        if part[at] == "*":
            tokens.append(Many.RUN)
        elif part[at] == "?":
            tokens.append(_ANY_CHARACTER)
        elif part[at] == "[":
            ranges, at = _parse_class(part, at)
            tokens.append(ranges)
        else:
            tokens.append(_only(ord(part[at])))
        at += 1
    return tuple(tokens)


def _parse_class(part: str, start: int) -> tuple[Ranges, int]:
    """Return the class that opens at ``start`` and the index of its closing bracket."""
    at = start + 1
    negated = part[at : at + 1] in ("!", "^")
    at += negated
    end = part.find("]", at + 1)  # a bracket that comes first is a member
    if end < 0:
        raise ValueError("a [ without its ]")
    members: list[tuple[int, int]] = []
    while at < end:
        low = high = ord(part[at])
        if at + 2 < end and part[at + 1] == "-":
            high = ord(part[at + 2])
            at += 2
        if low > high:
            raise ValueError(f"the range {chr(low)}-{chr(high)} is empty")
        members.append((low, high))
        at += 1
    ranges = _inverse(members) if negated else tuple(members)
    return _meet(_union(ranges), _ANY_CHARACTER), end


# --- sets of characters


def _only(code: int) -> Ranges:
    return ((code, code),)


def _union(ranges: Iterable[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _inverse(ranges: Iterable[tuple[int, int]]) -> Ranges:
    gaps: list[tuple[int, int]] = []
    free = 0
    for low, high in _union(ranges):
        if low > free:
            gaps.append((free, low - 1))
        free = high + 1
    if free <= _LAST:
        gaps.append((free, _LAST))
    return tuple(gaps)


def _meet(one: Ranges, other: Ranges) -> Ranges:
    pairs = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return tuple((low, high) for low, high in pairs if low <= high)


def _pick(ranges: Ranges, *, avoid_dot: bool) -> str:
    """Return a member, a plain letter where possible (a dot may not make a name ``.``)."""
    for character in _ORDINARY:
        if not (avoid_dot and character == ".") and any(
            low <= ord(character) <= high for low, high in ranges
        ):
            return character
    return chr(ranges[0][0])


# --- the two searches


def _common_path(one: Path, other: Path) -> str | None:
    """Search the product of two paths, component by component; return a shared path."""
    seen = {(0, 0)}
    todo: deque[tuple[int, int, str]] = deque([(0, 0, "")])
    while todo:
        i, j, word = todo.popleft()
        if i == len(one) and j == len(other):
            return word
        for to_i, to_j, name in _path_steps(one, other, i, j):
            if (to_i, to_j) not in seen:
                seen.add((to_i, to_j))
                longer = word if name is None else f"{word}/{name}" if word else name
                todo.append((to_i, to_j, longer))
    return None


def _path_steps(one: Path, other: Path, i: int, j: int) -> Iterator[tuple[int, int, str | None]]:
    left = one[i] if i < len(one) else None
    right = other[j] if j < len(other) else None
    if left is Many.TREE:
        yield i + 1, j, None
    if right is Many.TREE:
        yield i, j + 1, None
    if left is None or right is None:
        return
    a = _ANY_NAME if isinstance(left, Many) else left
    b = _ANY_NAME if isinstance(right, Many) else right
    name = common_name(a, b)
    if name is not None:
        yield i + (left is not Many.TREE), j + (right is not Many.TREE), name


@lru_cache(maxsize=65536)
def common_name(one: Name, other: Name) -> str | None:
    """Return a component that both match; never ``.`` or ``..``, which are no file names."""
    seen = {(0, 0, 0)}
    todo: deque[tuple[int, int, str]] = deque([(0, 0, "")])
    while todo:
        i, j, word = todo.popleft()
        if i == len(one) and j == len(other) and word not in ("", ".", ".."):
            return word
        for to_i, to_j, ranges in _name_steps(one, other, i, j):
            for character in _choices(ranges, word):
                longer = word + character
                state = (to_i, to_j, _dots(longer))
                if state not in seen:
                    seen.add(state)
                    todo.append((to_i, to_j, longer))
    return None


def _choices(ranges: Ranges | None, word: str) -> Iterator[str]:
    """Return the characters worth trying: one plain one, and a dot where dots still matter."""
    if ranges is None:
        yield ""
    elif ranges:
        yield _pick(ranges, avoid_dot=True)
        if _dots(word) < 3 and any(low <= ord(".") <= high for low, high in ranges):
            yield "."


def _dots(word: str) -> int:
    """Tell how far ``word`` is from being a name: 0 empty, 1 ``.``, 2 ``..``, 3 it is one."""
    return len(word) if word in ("", ".", "..") else 3


def _name_steps(one: Name, other: Name, i: int, j: int) -> Iterator[tuple[int, int, Ranges | None]]:
    left = one[i] if i < len(one) else None
    right = other[j] if j < len(other) else None
    if left is Many.RUN:
        yield i + 1, j, None
    if right is Many.RUN:
        yield i, j + 1, None
    if left is None or right is None:
        return
    a = _ANY_CHARACTER if isinstance(left, Many) else left
    b = _ANY_CHARACTER if isinstance(right, Many) else right
    yield i + (left is not Many.RUN), j + (right is not Many.RUN), _meet(a, b)
