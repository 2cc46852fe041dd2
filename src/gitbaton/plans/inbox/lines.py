"""One line of a JSON-lines file as a message (pure)."""

from __future__ import annotations

from typing import Final

import msgspec

from gitbaton.core.errors import InvalidInput
from gitbaton.plans.inbox.drafts import make_draft
from gitbaton.plans.inbox.model import Draft

LINE_LIMIT: Final = 1 << 20
"""Bytes; what has no line feed within so many is no message."""

SENDER: Final = "file"


class _Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str | None = None
    sender: str = msgspec.field(default=SENDER, name="from")
    text: str = ""
    task: str | None = None
    epoch: int | None = None
    dedup_key: str | None = None
    box: str = msgspec.field(default="", name="to")


_DECODER = msgspec.json.Decoder(_Line)


def parse_line(line: bytes) -> Draft | None:
    """Return the message in ``line``, without its line feed; None for an empty line.

    Raises InvalidInput saying what is wrong with it.
    """
    if not line.strip():
        return None
    try:
        said = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput("line", f"it is no message: {error}") from error
    return make_draft(
        sender=said.sender,
        text=said.text,
        box=said.box,
        id=said.id,
        task=said.task,
        task_epoch=said.epoch,
        dedup_key=said.dedup_key,
    )


def split_lines(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole lines of ``data`` without their line feeds, and what is left of it."""
    *lines, rest = data.split(b"\n")
    return lines, rest
