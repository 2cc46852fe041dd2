"""What may be sent, and by what a copy is recognised (pure)."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import agent_name, task_id
from gitbaton.plans.inbox.model import Draft, Handle, Letter

TEXT_LIMIT: Final = 65_536  # bytes of UTF-8
ID_LIMIT: Final = 200  # characters
BOX_LIMIT: Final = 1_000  # characters


def make_draft(
    *,
    sender: str,
    text: str,
    box: str = "",
    id: str | None = None,
    task: str | None = None,
    task_epoch: int | None = None,
    dedup_key: str | None = None,
) -> Draft:
    """Return a message that may be sent. Raises InvalidInput naming the field that is wrong.

    It says something, or is about a task. ``box``: the path of a clone; empty: for the machine.
    """
    text = check_text(text)
    if not text.strip() and task is None:
        raise InvalidInput("text", "a message says something, or is about a task")
    if task_epoch is not None and (task is None or task_epoch < 0):
        raise InvalidInput("epoch", "an epoch belongs to a task, and is not negative")
    return Draft(
        sender=agent_name(sender, field="from"),
        text=text,
        box=_word(box, "box", BOX_LIMIT) if box else "",
        id=None if id is None else _word(id, "id", ID_LIMIT),
        task=None if task is None else task_id(task, field="task"),
        task_epoch=task_epoch,
        dedup_key=None if dedup_key is None else _word(dedup_key, "dedup_key", ID_LIMIT),
    )


def check_text(text: str) -> str:
    """Return the text of a message or a response, or raise InvalidInput."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidInput("text", "it is no Unicode text (lone surrogate)") from error
    if size > TEXT_LIMIT:
        raise InvalidInput(
            "text", f"{size} bytes; at most {TEXT_LIMIT}. Put more on a branch and send its name"
        )
    return text


def digest(draft: Draft) -> str:
    """Return what two drafts have in common when they say the same."""
    said = [draft.box, draft.text, draft.task, draft.task_epoch, draft.dedup_key]
    return _hash(json.dumps(said))


def handle(draft: Draft) -> Handle:
    """Return what the message will be called: the same for every copy of it."""
    identity = ["id", draft.id] if draft.id is not None else ["content", digest(draft)]
    return Handle(_hash(json.dumps([draft.sender, *identity]))[:32])


def is_copy(draft: Draft, letter: Letter) -> bool:
    """Tell whether ``draft``, which has the handle of ``letter``, says the same."""
    return digest(draft) == letter.digest


def _word(text: str, field: str, limit: int) -> str:
    if not text.strip() or len(text) > limit or not text.isprintable():
        raise InvalidInput(field, f"{text[:50]!r} is not 1-{limit} printable characters")
    return text


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
