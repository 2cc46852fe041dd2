"""Merging a second time, from the design: what a frame must be, and which writes disagree.

Only for runs in which a place is written by one kind of op (``set``, ``incr``, ``max``, ``add``,
``append`` with a key), under the rule that fits it. It knows no rule table: it cannot share a
mistake with it.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from tests.worldchecker.evidence import KEPT, Line


class Place(NamedTuple):
    """A document, and where in it."""

    doc: str
    path: str


class Merged(NamedTuple):
    """The documents as they must be, and the places at which streams disagree."""

    documents: dict[str, Any]
    disagreeing: set[Place]


def is_op(line: Line) -> bool:
    """Tell whether a line is an op that counts."""
    op = line.op
    return op is not None and op.get("op") in _APPLY and op.get("doc") not in KEPT


def merge_again(before: Mapping[str, Any], lines: Iterable[Line]) -> Merged:
    """Return what ``before`` becomes by ``lines``, which may come in any order."""
    places: dict[Place, list[Line]] = defaultdict(list)
    for line in sorted(set_of(lines), key=_order):
        assert line.op is not None
        places[Place(line.op["doc"], line.op["path"])].append(line)
    documents = copy.deepcopy(dict(before))
    disagreeing = set()
    for place, written in places.items():
        [kind] = {str(line.op["op"]) for line in written if line.op is not None}
        _change(documents, place, kind, written)
        if kind == "set" and len({str(value) for value in _last_of_each(written)}) > 1:
            disagreeing.add(place)
    return Merged(documents, disagreeing)


def set_of(lines: Iterable[Line]) -> list[Line]:
    """Return the ops among ``lines``, each once."""
    return list({line[:4]: line for line in lines if is_op(line)}.values())


def _order(line: Line) -> tuple[int, bytes, int]:
    """By frame, then by lot: the hash of frame, worker and stream; a stream's ops as it wrote."""
    source = f"{line.frame}\0{line.worker}\0{line.stream}"
    return line.frame, blake2b(source.encode(), digest_size=8).digest(), line.sequence


def _last_of_each(written: Sequence[Line]) -> list[Any]:
    """Return what each stream set last: with itself nobody disagrees."""
    last = {line[:3]: line.op["value"] for line in written if line.op is not None}
    return list(last.values())


def _values(written: Sequence[Line]) -> list[Any]:
    return [line.op["value"] for line in written if line.op is not None]


def _append(old: Any, written: Sequence[Line]) -> Any:
    elements = list(old or ())
    for value in _values(written):
        if all(value["id"] != there["id"] for there in elements):
            elements.append(value)
    return elements


def _add(old: Any, written: Sequence[Line]) -> Any:
    return list(dict.fromkeys([*(old or ()), *_values(written)]))


_APPLY: Final[Mapping[str, Callable[[Any, Sequence[Line]], Any]]] = {
    "set": lambda old, written: _values(written)[-1],
    "incr": lambda old, written: (old or 0) + sum(_values(written)),
    "max": lambda old, written: max([*_values(written), *([] if old is None else [old])]),
    "add": _add,
    "append": _append,
}


def _change(documents: dict[str, Any], place: Place, kind: str, written: Sequence[Line]) -> None:
    steps = place.path.split("/")[1:]
    here = documents.setdefault(place.doc, {})
    for step in steps[:-1]:
        here = here.setdefault(step, {})
    here[steps[-1]] = _APPLY[kind](here.get(steps[-1]), written)


def same(one: Any, other: Any) -> bool:
    """Tell whether two documents are the same, where the order of a list of names means nothing."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list) and all(isinstance(x, str) for x in one):
        return sorted(one) == sorted(map(str, other))
    return bool(one == other)
