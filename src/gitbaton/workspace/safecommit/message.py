"""The commit message as ``git commit -m`` makes it of what it is given (pure).

Source: git-commit(1) (``--cleanup``), git-stripspace(1), git-interpret-trailers(1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from gitbaton.core.errors import InvalidInput, Refused

Cleanup: TypeAlias = Literal["strip", "whitespace", "verbatim"]

_SPACE: Final = b" \t\r\n"  # what git takes for space (its ctype.c)
_TRAILER: Final = re.compile(rb"[A-Za-z0-9-]+: .*")


def join_paragraphs(texts: Sequence[bytes]) -> bytes:
    """Return several ``-m`` as one message: each is a paragraph."""
    return b"\n".join(text if text.endswith(b"\n") else text + b"\n" for text in texts)


def cleanup_mode(configured: str | None) -> Cleanup:
    """Return what ``commit.cleanup`` means where no editor is used. Raises InvalidInput."""
    match configured:
        case None | "default" | "whitespace" | "scissors":
            return "whitespace"
        case "strip":
            return "strip"
        case "verbatim":
            return "verbatim"
    raise InvalidInput(
        "commit.cleanup", f"{configured!r} is no way to clean up", next="git config commit.cleanup"
    )


def clean(message: bytes, how: Cleanup, comment: bytes = b"#") -> bytes:
    """Return ``message`` without trailing space and superfluous empty lines.

    ``strip`` drops lines that begin with ``comment`` too; ``verbatim`` changes nothing.
    """
    if how == "verbatim":
        return message
    kept: list[bytes] = []
    for line in message.split(b"\n"):
        if how == "strip" and line.startswith(comment):
            continue
        bare = line.rstrip(_SPACE)
        if bare or (kept and kept[-1]):
            kept.append(bare)
    text = b"\n".join(kept).rstrip(b"\n")
    return text + b"\n" if text else b""


def require_message(message: bytes) -> None:
    """Raise Refused for a message that says nothing, InvalidInput for one git cannot store."""
    if b"\0" in message:
        raise InvalidInput(
            "message",
            "a null byte cannot be part of a commit message",
            next="baton commit PATH… -m MSG",
        )
    if not message.strip(_SPACE):
        raise Refused(
            "the commit message is empty", code="empty_message", next="baton commit PATH… -m MSG"
        )


def with_task(message: bytes, task: str) -> bytes:
    """Return ``message`` with the trailer ``Baton-Task: <task>``; unchanged if it has one."""
    block = _trailers(message)
    if any(line.startswith(b"Baton-Task: ") for line in block):
        return message
    gap = b"\n" if block else b"\n\n"
    return message.rstrip(_SPACE) + gap + f"Baton-Task: {task}\n".encode()


def subject(message: bytes) -> str:
    """Return the first line, as text for people and for the reflog."""
    return message.partition(b"\n")[0].decode("utf-8", "replace")


def _trailers(message: bytes) -> Sequence[bytes]:
    first, gap, rest = message.strip(_SPACE).partition(b"\n\n")
    lines = rest.rpartition(b"\n\n")[2].split(b"\n") if gap and first else []
    return lines if lines and all(_TRAILER.fullmatch(line) for line in lines) else []
