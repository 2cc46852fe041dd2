"""The one rule of compare-and-swap: what stands in the way of a change."""

from __future__ import annotations

from collections.abc import Mapping

from gitbaton.store.model import ABSENT, Absent, Key, Version


def stale_keys(expect: Mapping[Key, Version | Absent], present: Mapping[Key, Version]) -> list[Key]:
    """Return the keys that are not as expected; none: go ahead.

    ``present`` has the version of each of these keys that has a record.
    """
    return [key for key, expected in expect.items() if present.get(key, ABSENT) != expected]
