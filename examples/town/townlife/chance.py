"""Dice that fall the same way whenever the same thing is thrown for.

A stream may be run twice: its worker was killed, or its answer was lost. What its residents do
must then be what they did before, so nothing here asks a clock or the machine for randomness.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import TypeVar

ItemT = TypeVar("ItemT")


class Dice:
    """Dice that are fixed by ``words``, such as the seed, the frame and the resident."""

    def __init__(self, *words: object) -> None:
        text = "\x1f".join(str(word) for word in words)
        self._random = random.Random(hashlib.sha256(text.encode()).digest()).random

    def luck(self, chance: float) -> bool:
        """Return True with that chance, 0 to 1."""
        return self._random() < chance

    def between(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``, both included."""
        return low + int(self._random() * (high - low + 1))

    def pick(self, items: Sequence[ItemT]) -> ItemT:
        """Return one of ``items``."""
        return items[int(self._random() * len(items))]
