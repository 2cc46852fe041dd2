"""Merge rules by path: which rule decides at a place of the world (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from gitbaton.frames.pointer import Steps

Use: TypeAlias = Literal["last", "max", "min", "sum", "union", "append", "reject"]


class Rule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of the table: places in ``doc`` (a glob) at ``path`` (a pointer with wildcards).

    ``*`` in a document is any characters but /, ``**`` any at all; in a path a step ``*`` is any
    one step, and ``**`` any number of steps, also none. ``key`` names the member that tells
    elements apart (``append``).
    """

    doc: str
    path: str
    use: Use
    key: str = "id"


class RuleTable:
    """The rules in their order: the first one that fits a place decides; else ``last``."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        """Read ``rules``; raise InvalidInput naming the first one that is not well formed."""
        raise NotImplementedError

    def find(self, doc: str, steps: Steps) -> Rule:
        """Return the rule of this place."""
        raise NotImplementedError
