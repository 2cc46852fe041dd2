"""An array that grows, shrinks and tells its elements apart, while ops are applied to it."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from gitbaton.frames.canonical import encode_key

Joined: TypeAlias = Literal["joined", "same", "different"]
"""An element joined the array; or one like it is there; or one with its key and other contents."""


class Array:
    """Wraps ``items``, which it changes in place; ``close`` must be called at the end.

    Equal elements are found by their bytes and keyed ones by their key, through indexes that are
    made when they are first needed.
    """

    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self._gone: set[int] = set()
        self._equal: dict[bytes, list[int]] | None = None
        self._keyed: dict[str, dict[bytes, Any]] = {}
        self._labels: dict[str, Any] = {}

    def append(self, value: Any) -> None:
        """Put ``value`` at the end."""
        if self._equal is not None:
            self._equal.setdefault(encode_key(value), []).append(len(self.items))
        for name, known in self._keyed.items():
            if type(value) is dict and name in value:
                known.setdefault(encode_key(value[name]), value)
        self.items.append(value)

    def add(self, value: Any) -> None:
        """Put ``value`` at the end unless an equal element is there."""
        if not self.has(value):
            self.append(value)

    def has(self, value: Any) -> bool:
        """Tell whether an element equal to ``value`` is there."""
        return encode_key(value) in self._index()

    def remove(self, value: Any) -> bool:
        """Take out the elements equal to ``value``; tell whether there were any."""
        places = self._index().pop(encode_key(value), ())
        self._gone.update(places)
        for name, known in self._keyed.items():
            if type(value) is dict and name in value:
                known.pop(encode_key(value[name]), None)
        return bool(places)

    def append_keyed(self, value: dict[str, Any], name: str) -> Joined:
        """Put ``value`` at the end unless an object with the same member ``name`` is there."""
        known = self._by_member(name)
        there = known.get(encode_key(value[name]))
        if there is None:
            self.append(value)
            return "joined"
        return "same" if encode_key(there) == encode_key(value) else "different"

    def append_labelled(self, value: Any, label: str) -> Joined:
        """Put ``value``, which can bear no key, at the end once for each label.

        The label is known only while this array is open; an equal element counts as well.
        """
        if label in self._labels:
            same = encode_key(self._labels[label]) == encode_key(value)
            return "same" if same else "different"
        self._labels[label] = value
        if self.has(value):
            return "same"
        self.append(value)
        return "joined"

    def close(self) -> list[Any]:
        """Return the items as they are now."""
        if self._gone:
            self.items[:] = [item for at, item in enumerate(self.items) if at not in self._gone]
            self._gone.clear()
            self._equal = None
        return self.items

    def _index(self) -> dict[bytes, list[int]]:
        if self._equal is None:
            self._equal = {}
            for at, item in enumerate(self.items):
                if at not in self._gone:
                    self._equal.setdefault(encode_key(item), []).append(at)
        return self._equal

    def _by_member(self, name: str) -> dict[bytes, Any]:
        known = self._keyed.get(name)
        if known is None:
            known = self._keyed[name] = {}
            for at, item in enumerate(self.items):
                if type(item) is dict and name in item and at not in self._gone:
                    known.setdefault(encode_key(item[name]), item)
        return known
