"""What is other between two JSON documents, place by place (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final


class _Absent:
    """There is nothing at the place."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place (a JSON Pointer), and what was and is there: a value, or ABSENT."""

    path: str
    before: Any
    after: Any


def compare(before: Any, after: Any, path: str = "") -> Iterator[Difference]:
    """Yield the places at which two documents differ, each as deep as it can be named.

    Of an array what both begin and end with is left out: an element that was added in the
    middle is one difference.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            step = f"{path}/{_escape(key)}"
            yield from compare(before.get(key, ABSENT), after.get(key, ABSENT), step)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _compare_arrays(before, after, path)
    elif type(before) is not type(after) or before != after:
        yield Difference(path, before, after)


def _compare_arrays(before: list[Any], after: list[Any], path: str) -> Iterator[Difference]:
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    for at in range(max(len(old), len(new))):
        step = f"{path}/{head + at}"
        yield from compare(
            old[at] if at < len(old) else ABSENT, new[at] if at < len(new) else ABSENT, step
        )


def _common(one: list[Any], other: list[Any]) -> int:
    length = 0
    for mine, theirs in zip(one, other, strict=False):
        if next(compare(mine, theirs), None) is not None:
            break
        length += 1
    return length


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
