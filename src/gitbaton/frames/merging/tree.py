"""A document's value while ops are applied to it: finding, putting, and what stands in the way.

Null counts as nothing: what is put below it, or added to it, replaces it.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, Literal

from gitbaton.frames.pointer import Steps, read_index


class Missing(Enum):
    """There is nothing at the place."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING


class Clash(Exception):
    """What stands at or above a place does not let anything be put there."""

    def __init__(self, kind: Literal["type", "index"]) -> None:
        super().__init__(kind)
        self.kind: Literal["type", "index"] = kind


class Tree:
    """A value with places in it. ``root`` is MISSING where there is no document."""

    def __init__(self, root: Any) -> None:
        self.root = root

    def find(self, steps: Steps) -> Any:
        """Return what is at the place, MISSING where nothing is."""
        node = self.root
        for step in steps:
            if type(node) is dict:
                node = node.get(step, MISSING)
            elif type(node) is list:
                at = read_index(step)
                node = node[at] if at is not None and at < len(node) else MISSING
            else:
                return MISSING
        return node

    def arrays(self, steps: Steps) -> list[int]:
        """Return the depths at which the way down goes through an array."""
        node, depths = self.root, []
        for depth, step in enumerate(steps):
            if type(node) is dict:
                node = node.get(step)
            elif type(node) is list:
                depths.append(depth)
                at = read_index(step)
                node = node[at] if at is not None and at < len(node) else None
            else:
                break
        return depths

    def put(self, steps: Steps, value: Any) -> None:
        """Put ``value`` at the place; objects that are missing above it are made. Raises Clash."""
        if not steps:
            self.root = value
            return
        holder = self._holder(steps)
        if type(holder) is dict:
            holder[steps[-1]] = value
        else:
            holder[_index(holder, steps[-1])] = value

    def drop(self, steps: Steps) -> None:
        """Take away what is at the place, if anything is. Raises Clash at an array's element."""
        if not steps:
            self.root = MISSING
            return
        holder = self.find(steps[:-1])
        if type(holder) is dict:
            holder.pop(steps[-1], None)
        elif type(holder) is list:
            raise Clash("index")

    def _holder(self, steps: Steps) -> Any:
        """Return the object or array that has the place, making objects where nothing is."""
        if self.root is MISSING or self.root is None:
            self.root = {}
        node = self.root
        for step in steps[:-1]:
            if type(node) is dict:
                below = node.get(step)
                if below is None:
                    below = node[step] = {}
                node = below
            elif type(node) is list:
                at = _index(node, step)
                if node[at] is None:
                    node[at] = {}
                node = node[at]
            else:
                raise Clash("type")
        if type(node) is not dict and type(node) is not list:
            raise Clash("type")
        return node


def _index(array: list[Any], step: str) -> int:
    at = read_index(step)
    if at is None or at >= len(array):
        raise Clash("index")
    return at
