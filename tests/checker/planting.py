"""The list of planted violations, kept by what plants them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tests.checker.build import Story
from tests.checker.finding import Invariant

Plant: TypeAlias = Callable[[Story], None]
PLANTS: list[tuple[set[Invariant], str, Plant]] = []

TASK_A = "refs/heads/task/a"  # where ``a`` of the finished run landed


def breaks(*invariants: Invariant, saying: str) -> Callable[[Plant], Plant]:
    """Register a violation: what it breaks, and words of the finding."""

    def register(plant: Plant) -> Plant:
        PLANTS.append((set(invariants), saying, plant))
        return plant

    return register
