"""Finds, among many path globs, the few that may match one file with a given one (pure).

Whether two globs meet is decided exactly in ``tasks/globs.py``, which is a search. Most pairs
need none: what their globs begin or end with, before the first wildcard and after the last, is
different already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

_WILD: Final = frozenset("*?[")
_WILD_END: Final = frozenset("*?[]/")

Steps: TypeAlias = tuple[str | None, ...]
"""Components of a glob; None: one with wildcards."""


class PathTree:
    """Globs under the directories that they begin with, and there by how they end."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, glob: str) -> None:
        """Take in ``glob``, which is a valid one."""
        node = self._root
        for part in beginning(glob):
            node = node.inner.setdefault(part, _Node())
        node.add(glob)

    def near(self, glob: str) -> Iterator[str]:
        """Yield those that may match a file that ``glob`` matches, ``glob`` too if it is in."""
        end, first, last = ending(glob), _first_steps(glob), _last_steps(glob)
        for node in self._nodes(glob):
            for other in node.ending_like(end):
                if not _part(first, _first_steps(other)) and not _part(last, _last_steps(other)):
                    yield other

    def _nodes(self, glob: str) -> Iterator[_Node]:
        """Yield the directories that ``glob`` begins in, or that begin with it."""
        node = self._root
        for part in beginning(glob):
            yield node
            inner = node.inner.get(part)
            if inner is None:
                return
            node = inner
        todo = [node]
        while todo:
            node = todo.pop()
            yield node
            todo.extend(node.inner.values())


class _Node:
    """One directory. ``exact``: globs by their whole ending; ``longer``: by each part of it."""

    __slots__ = ("exact", "inner", "longer")

    def __init__(self) -> None:
        self.inner: dict[str, _Node] = {}
        self.exact: dict[str, list[str]] = {}
        self.longer: dict[str, list[str]] = {}

    def add(self, glob: str) -> None:
        end = ending(glob)
        self.exact.setdefault(end, []).append(glob)
        for start in range(1, len(end) + 1):
            self.longer.setdefault(end[start:], []).append(glob)

    def ending_like(self, end: str) -> Iterator[str]:
        """Yield the globs one of whose ending and ``end`` ends with the other."""
        if not self.exact:
            return
        yield from self.longer.get(end, ())
        for start in range(len(end) + 1):
            yield from self.exact.get(end[start:], ())


@lru_cache(maxsize=16384)
def beginning(glob: str) -> tuple[str, ...]:
    """Return the components before the first wildcard: all that it matches begins with them."""
    parts = []
    for part in glob.rstrip("/").split("/"):
        if _WILD & set(part):
            break
        parts.append(part)
    return tuple(parts)


@lru_cache(maxsize=16384)
def _first_steps(glob: str) -> Steps:
    """Return the components whose place counts from the start: those before a ``**``."""
    parts = glob.rstrip("/").split("/")
    return _plain(parts[: parts.index("**")] if "**" in parts else parts)


@lru_cache(maxsize=16384)
def _last_steps(glob: str) -> Steps:
    """Return the components whose place counts from the end, backwards: those after a ``**``.

    None at all where a glob goes on below its last component.
    """
    parts = glob.split("/")[::-1]
    if not _WILD & set(parts[0]):
        return ()
    return _plain(parts[: parts.index("**")] if "**" in parts else parts)


def _plain(parts: Sequence[str]) -> Steps:
    return tuple(None if _WILD & set(part) else part for part in parts)


def _part(one: Steps, other: Steps) -> bool:
    """Tell whether two globs part ways at some component that both name."""
    return any(a is not None and b is not None and a != b for a, b in zip(one, other, strict=False))


@lru_cache(maxsize=16384)
def ending(glob: str) -> str:
    """Return the characters after the last wildcard: all that it matches ends with them.

    Empty where nothing is known: a last component without wildcards covers what is below it.
    """
    last = glob.rpartition("/")[2]
    if not _WILD & set(last):
        return ""
    at = max(number for number, character in enumerate(last) if character in _WILD_END)
    return last[at + 1 :]
