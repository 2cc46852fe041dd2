"""Changes that add up (append, add, remove, incr, max, min) at one place (pure).

They are applied in their order, so each stream's own come one after the other. A removal never
wins over another stream's addition of the same element.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from gitbaton.frames.canonical import encode_key
from gitbaton.frames.conflict import Kind
from gitbaton.frames.merging.array import Array
from gitbaton.frames.merging.number import add_exactly, comparable, is_number
from gitbaton.frames.merging.tree import MISSING
from gitbaton.frames.merging.verdict import Dispute
from gitbaton.frames.merging.write import Act, Write
from gitbaton.frames.op import Append
from gitbaton.frames.rules import Rule


class Place:
    """One place while changes come to it: its value, and what could not be done."""

    def __init__(
        self, value: Any, rule: Rule, writes: Sequence[Write], elements: AbstractSet[bytes]
    ) -> None:
        self.value = None if value is MISSING else value
        self.rule = rule
        self.elements = elements
        self.disputes: list[Dispute] = []
        self.array: Array | None = None
        self.protected: Mapping[bytes, Sequence[Write]] = {}
        if any(write.act == "remove" for write in writes):
            self.protected = _protect(writes)

    def refuse(self, kind: Kind, *losers: Write, winners: Sequence[Write] = ()) -> None:
        """Note that ``losers`` could not be done."""
        self.disputes.append(Dispute(kind, winners, losers))

    def open_array(self, write: Write) -> Array | None:
        """Return the array at the place, None (and refuse ``write``) where something else is."""
        if self.array is None:
            if self.value is None:
                self.value = []
            if type(self.value) is not list:
                self.refuse("type", write)
                return None
            self.array = Array(self.value)
        return self.array

    def close(self) -> Any:
        """Return what is at the place in the end."""
        if self.array is not None:
            self.value = self.array.close()
        return self.value


def apply_changes(
    rule: Rule, value: Any, writes: Sequence[Write], elements: AbstractSet[bytes] = frozenset()
) -> tuple[Any, list[Dispute]]:
    """Return what ``writes``, in their order, make of ``value``, and what could not be done.

    ``value`` may be changed in place. MISSING and null become what the first change needs.
    ``elements``: those that were there when the frame began, where some were changed since.
    """
    place = Place(value, rule, writes, elements)
    for act, run in groupby(writes, attrgetter("act")):
        _APPLY[act](place, run)
    return place.close(), place.disputes


def _incr(place: Place, run: Iterable[Write]) -> None:
    writes = list(run)
    before = 0 if place.value is None else place.value
    if not is_number(before):
        place.refuse("type", *writes)
        return
    total = add_exactly([before, *(write.value for write in writes)])
    if total is None:
        place.refuse("number", *writes)
    else:
        place.value = total


def _extreme(place: Place, run: Iterable[Write]) -> None:
    for write in run:
        if place.value is None:
            place.value = write.value
        elif not comparable(place.value, write.value):
            place.refuse("type", write)
        elif (write.act == "max") == (write.value > place.value) and write.value != place.value:
            place.value = write.value


def _object(place: Place, run: Iterable[Write]) -> None:
    for write in run:
        if place.value is None:
            place.value = {}
        elif type(place.value) is not dict:
            place.refuse("type", write)


def _add(place: Place, run: Iterable[Write]) -> None:
    for write in run:
        array = place.open_array(write)
        if array is not None:
            array.add(write.value)


def _remove(place: Place, run: Iterable[Write]) -> None:
    for write in run:
        if place.value is None:
            continue
        array = place.open_array(write)
        if array is None:
            continue
        wanted = place.protected.get(encode_key(write.value), ())
        if wanted and all(other.author is not write.author for other in wanted):
            place.refuse("kept", write, winners=wanted)
        elif not array.remove(write.value) and encode_key(write.value) in place.elements:
            place.refuse("kept", write)  # somebody has changed the element in this frame


def _append(place: Place, run: Iterable[Write]) -> None:
    for write in run:
        array = place.open_array(write)
        if array is not None:
            _append_one(place, array, write)


def _append_one(place: Place, array: Array, write: Write) -> None:
    assert isinstance(write.op, Append)
    value, key, name = write.value, write.op.key, place.rule.key
    if type(value) is not dict:
        joined = "joined"
        if key is None:
            array.append(value)
        else:
            joined = array.append_labelled(value, key)
    elif key is not None and value.get(name, key) != key:
        place.refuse("type", write)  # the element has another key than the op says
        return
    elif key is not None:
        joined = array.append_keyed({**value, name: key}, name)
    elif place.rule.use == "append" and name in value:
        joined = array.append_keyed(value, name)
    else:
        array.append(value)
        return
    if joined == "different":
        place.refuse("duplicate", write)


_APPLY: Final[Mapping[Act, Callable[[Place, Iterable[Write]], None]]] = {
    "incr": _incr,
    "max": _extreme,
    "min": _extreme,
    "object": _object,
    "add": _add,
    "remove": _remove,
    "append": _append,
}


def _protect(writes: Sequence[Write]) -> dict[bytes, list[Write]]:
    """Return the elements that streams want there in the end, with the writes that say so."""
    last: dict[tuple[int, bytes], Write] = {}
    for write in writes:
        if write.act in ("add", "remove", "append"):
            last[write.author.rank, encode_key(write.value)] = write
    wanted: dict[bytes, list[Write]] = {}
    for (_, mark), write in last.items():
        if write.act != "remove":
            wanted.setdefault(mark, []).append(write)
    return wanted
