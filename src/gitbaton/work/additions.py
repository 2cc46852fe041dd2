"""Additions that waited offline: whether they arrived before, and where refused ones are kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from gitbaton.core.errors import BatonError
from gitbaton.core.ids import task_id
from gitbaton.store.model import Key
from gitbaton.tasks.drafts import EDITABLE, Draft, compose
from gitbaton.tasks.settings import QueueSettings
from gitbaton.tasks.view import View

_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


class Addition(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks to add in one transaction, each with its id, and by whom."""

    drafts: tuple[Draft, ...]
    actor: str
    email: str


def arrived_before(addition: Addition, view: View) -> bool:
    """Tell whether an earlier try, whose answer was lost, has added these very tasks.

    They were added in one transaction, so all are there or none.
    """
    return all(_is_there(draft, addition.actor, view) for draft in addition.drafts)


def keep_refused(addition: Addition, directory: Path, key: Key) -> Path:
    """Write the drafts to a file below ``directory`` that ``baton add --from`` takes."""
    path = directory / "refused" / f"{key.rpartition('/')[2]}.jsonl"
    lines = [msgspec.json.encode(_filled(draft)) + b"\n" for draft in addition.drafts]
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"".join(lines))
    except OSError as error:
        raise BatonError(
            f"cannot write {path}: {error.strerror}", next=f"ls -ld {path.parent}; df {path.parent}"
        ) from error
    return path


def _is_there(draft: Draft, actor: str, view: View) -> bool:
    id = task_id(str(draft.id))
    found = view.tasks.get(id)
    if found is None:
        return False
    settings = QueueSettings("", max_attempts=found.max_attempts)  # a default may differ by now
    meant = compose(draft, id, settings=settings, by=actor, now=_ANY_TIME)
    same = all(getattr(found, name) == getattr(meant, name) for name in EDITABLE)
    return same and found.created_by == meant.created_by


def _filled(draft: Draft) -> dict[str, Any]:
    """Return the fields that were given, as JSON."""
    plain: dict[str, Any] = msgspec.to_builtins(draft)
    return {name: value for name, value in plain.items() if value not in (None, (), [], "")}
