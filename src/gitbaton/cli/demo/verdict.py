"""One promise, judged: kept, or what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitbaton.cli.demo.stage import TourFailed


@dataclass(frozen=True, slots=True)
class Verdict:
    """One promise: whether it was kept, and if not, what is wrong."""

    name: str
    ok: bool
    detail: str


def judge(name: str, faults: Iterable[str]) -> Verdict:
    """Return the verdict on a promise; ``faults`` is what breaks it, found while it is read."""
    try:
        detail = "\n".join(faults)
    except (TourFailed, KeyError, TypeError, ValueError) as error:
        detail = f"it cannot be told: {error}"  # what cannot be evaluated is not passed
    return Verdict(name, not detail, detail)
