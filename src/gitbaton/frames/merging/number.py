"""Arithmetic of a world: exact for integers, and the same in any order for other numbers (pure)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from gitbaton.frames.canonical import DIGITS

_LIMIT = 10**DIGITS


def is_number(value: object) -> bool:
    """Tell whether ``value`` is a JSON number."""
    return type(value) is int or type(value) is float


def comparable(one: object, other: object) -> bool:
    """Tell whether two values have an order: both are numbers, or both are texts."""
    return (is_number(one) and is_number(other)) or (type(one) is str and type(other) is str)


def add_exactly(terms: Iterable[Any]) -> int | float | None:
    """Return the sum of numbers, None where it is too great to be kept.

    Integers give an integer. Where a term is no integer, all are added without intermediate
    rounding and rounded once (``math.fsum``), so their order does not matter.
    """
    whole, parts = 0, []
    for term in terms:
        if type(term) is int:
            whole += term
        else:
            parts.append(term)
    if not parts:
        return whole if abs(whole) < _LIMIT else None
    try:
        total = math.fsum([*parts, whole])
    except OverflowError:
        return None
    return total if math.isfinite(total) else None
