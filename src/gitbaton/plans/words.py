"""Capabilities with a meaning of their own: pins to a worker, and the toolchain of a plan (pure).

They stand among the capabilities that a task requires, so that every worker keeps to them, also
one that knows nothing of plans: it does not have the word.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

PIN: Final = "worker+"
TOOLCHAIN: Final = "toolchain+"


def pin_word(worker: str) -> str:
    """Return the capability that the worker of this name has, and nobody else."""
    return PIN + worker


def toolchain_word(plan: str) -> str:
    """Return the capability of those whose tools meet what ``plan`` requires."""
    return TOOLCHAIN + plan


def is_kept(word: str) -> bool:
    """Tell whether nobody may give this capability by hand."""
    return word.startswith((PIN, TOOLCHAIN))


def pin_of(words: Iterable[str]) -> str | None:
    """Return the worker that ``words`` pin a task to, None if any will do."""
    return next((word.removeprefix(PIN) for word in words if word.startswith(PIN)), None)


def describe(word: str) -> str:
    """Return what it takes to have ``word``, as people say it."""
    if word.startswith(PIN):
        return f"it is pinned to {word.removeprefix(PIN)!r}"
    if word.startswith(TOOLCHAIN):
        return f"it requires the toolchain of plan {word.removeprefix(TOOLCHAIN)!r}"
    return f"it requires {word!r}"
