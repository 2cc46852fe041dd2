"""What ``frame diff`` shows: the documents that two frames do not share, place by place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from gitbaton.cli.frame.differing import ABSENT, Difference, compare
from gitbaton.cli.frame.recording import value_words
from gitbaton.cli.output import Output, one_line
from gitbaton.frames.history import DocumentChange
from gitbaton.frames.names import RESERVED


def changes_document(changes: Iterable[DocumentChange]) -> list[dict[str, Any]]:
    """Return the changes as JSON shows them; ``before`` or ``after`` is left out where nothing is.

    A document that is not JSON has ``"binary": true`` and no changes.
    """
    return [_document(change) for change in changes if change.name not in RESERVED]


def print_changes(out: Output, changes: Iterable[DocumentChange], *, limit: int) -> None:
    """Print at most ``limit`` places of each document, for people."""
    told = False
    for change in changes:
        if change.name in RESERVED:
            continue
        told = True
        found = list(_differences(change) or ())
        out.say(f"{change.name}{_fate(change)}")
        for difference in found[:limit]:
            out.say(f"  {_line(difference)}")
        if len(found) > limit:
            out.say(f"  … and {len(found) - limit} more places (--verbose shows them)")
    if not told:
        out.say("no document differs")


def _fate(change: DocumentChange) -> str:
    if change.before is None:
        return " (new)"
    return " (gone)" if change.after is None else ""


def _line(difference: Difference) -> str:
    path = difference.path or "/"
    before, after = (
        "" if value is ABSENT else one_line(value_words(value))
        for value in (difference.before, difference.after)
    )
    if difference.before is ABSENT:
        return f"+ {path}  {after}"
    if difference.after is ABSENT:
        return f"- {path}  {before}"
    return f"~ {path}  {before} → {after}"


def _document(change: DocumentChange) -> dict[str, Any]:
    found = _differences(change)
    if found is None:
        return {"doc": change.name, "binary": True, "changes": []}
    return {"doc": change.name, "changes": [_plain(difference) for difference in found]}


def _plain(difference: Difference) -> dict[str, Any]:
    sides = {"before": difference.before, "after": difference.after}
    plain = {name: value for name, value in sides.items() if value is not ABSENT}
    return {"path": difference.path, **plain}


def _differences(change: DocumentChange) -> Iterator[Difference] | None:
    try:
        before, after = (_decode(data) for data in (change.before, change.after))
    except ValueError:
        return None
    return compare(before, after)


def _decode(data: bytes | None) -> Any:
    return ABSENT if data is None else json.loads(data)
