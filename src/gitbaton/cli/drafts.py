"""Reads tasks to add from a file: JSON lines, or one document ``{"tasks": […]}`` (pure).

A line has the fields of ``baton add``. In a document the fields that ``list --json`` and the
board's ``tasks.json`` show besides are allowed too: what is finished there is left out, what is
under way is added as pending. Every error names the line (or the place in the document) and field.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from gitbaton.core.config import Config
from gitbaton.core.durations import parse_duration
from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import TaskId, task_id
from gitbaton.tasks.drafts import Draft, compose
from gitbaton.tasks.settings import QueueSettings

_FIELDS: Final = {field.name for field in dataclasses.fields(Draft)}
_SHOWN: Final = {
    *("status", "approved", "attempts", "created_at", "updated_at", "not_before", "claim"),
    *("result", "reason", "claimedBy", "claimedAt"),
}
_FINISHED: Final = ("done", "completed", "cancelled")
_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Batch:
    """The tasks in a file, where each stands in it, and the ids of finished ones left out."""

    drafts: tuple[Draft, ...]
    places: tuple[str, ...]
    finished: tuple[str, ...] = ()


def with_defaults(draft: Draft, config: Config) -> Draft:
    """Return ``draft`` with what it leaves to the configuration."""
    if draft.timeout is not None or config.queue.timeout is None:
        return draft
    return dataclasses.replace(draft, timeout=float(config.queue.timeout))


def parse_drafts(text: str, source: str) -> Batch:
    """Return the tasks in ``text``; raise InvalidInput naming ``source``, place and field."""
    document = _document(text)
    if document is None:
        lines = list(_lines(text, source))
        return _batch([(place, _draft(item, place, _FIELDS)) for place, item in lines])
    if not isinstance(document, list):
        raise InvalidInput(f"{source}: tasks", "must be a list")
    allowed = _FIELDS | _SHOWN
    finished: list[str] = []
    drafts: list[tuple[str, Draft]] = []
    for number, item in enumerate(document):
        place = f"{source}: tasks[{number}]"
        fields = _object(item, place)
        if fields.get("status") in _FINISHED:
            finished.append(str(fields.get("id")))
        else:
            named = {"title": fields.get("id"), **fields}
            drafts.append((place, _draft(named, place, allowed)))
    left_out = set(finished)
    return _batch(
        [
            (place, dataclasses.replace(d, needs=tuple(n for n in d.needs if n not in left_out)))
            for place, d in drafts
        ],
        finished,
    )


def _batch(placed: Sequence[tuple[str, Draft]], finished: Sequence[str] = ()) -> Batch:
    if not placed and not finished:
        raise InvalidInput("--from", "there is no task in it")
    first: dict[str, str] = {}
    for place, draft in placed:
        _check(draft, place)
        if draft.id is not None and draft.id in first:
            raise InvalidInput(f"{place}: id", f"{draft.id!r} is also {first[draft.id]}")
        if draft.id is not None:
            first[draft.id] = place
    return Batch(tuple(d for _, d in placed), tuple(p for p, _ in placed), tuple(finished))


def check_draft(draft: Draft) -> None:
    """Raise InvalidInput naming the first field whose content no task may have."""
    name = TaskId("new") if draft.id is None else task_id(draft.id)
    compose(draft, name, settings=QueueSettings(""), by="", now=_ANY_TIME)


def _check(draft: Draft, place: str) -> None:
    try:
        check_draft(draft)
    except InvalidInput as error:
        said = error.message.removeprefix(f"{error.field}: ")
        raise InvalidInput(f"{place}: {error.field}", said) from error


def _document(text: str) -> Any:
    """Return what is under ``tasks``, or the list that the text is; None for JSON lines."""
    try:
        whole = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    if isinstance(whole, dict):
        return whole.get("tasks")
    return whole if isinstance(whole, list) else None


def _lines(text: str, source: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{source}:{number}"
        try:
            yield place, msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise InvalidInput(place, f"is no JSON: {error}") from error


def _object(item: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise InvalidInput(place, 'must be an object such as {"title": "…"}')
    return item


def _draft(item: Any, place: str, allowed: set[str]) -> Draft:
    fields = _object(item, place)
    for name in fields:
        if name not in allowed:
            raise InvalidInput(f"{place}: {name}", _unknown(name))
    known = {name: value for name, value in fields.items() if name in _FIELDS and value is not None}
    timeout = known.get("timeout")
    if isinstance(timeout, str):
        known["timeout"] = parse_duration(timeout, field=f"{place}: timeout")
    return _convert(known, place)


def _convert(known: Mapping[str, Any], place: str) -> Draft:
    if not known.get("title"):
        raise InvalidInput(f"{place}: title", "is missing")
    for name, value in known.items():
        try:
            msgspec.convert({"title": "one field at a time", name: value}, Draft)
        except msgspec.ValidationError as error:
            said = str(error).partition(" - at ")[0]
            raise InvalidInput(f"{place}: {name}", said) from error
    return msgspec.convert(dict(known), Draft)


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, sorted(_FIELDS), n=1, cutoff=0.5)
    return f"no such field; did you mean {near[0]!r}?" if near else "no such field"
