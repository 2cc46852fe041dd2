"""Names that become refs, paths and arguments: what is allowed, and how new ones are made (I8)."""

from __future__ import annotations

import os
import re
from typing import NewType

from gitbaton.core.errors import InvalidInput

TaskId = NewType("TaskId", str)
Oid = NewType("Oid", str)  # a git object id, 40 or 64 lowercase hex digits
Epoch = NewType("Epoch", int)  # claim generation of a task, from 1; 0 = never claimed
Nonce = NewType("Nonce", str)  # 128 random bits in hex

_TASK_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NAME_BAD = re.compile(r"[\x00-\x1f\x7f<>]")
_BRANCH_BAD = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")


def task_id(text: str, *, field: str = "id") -> TaskId:
    """Return ``text`` as a task id, or raise InvalidInput naming ``field``."""
    if not _TASK_ID.fullmatch(text) or ".." in text or text.endswith((".lock", ".")):
        raise InvalidInput(
            field,
            f"{text!r} is no task id: lowercase letters, digits and . _ - (first a letter or "
            "digit, at most 64, no '..', not ending in '.' or '.lock')",
        )
    return TaskId(text)


def new_task_id(title: str) -> TaskId:
    """Make an id from ``title`` that people recognise and that no other machine will make."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", plain))[:40].strip("-")
    suffix = os.urandom(3).hex()
    return TaskId(f"{slug}-{suffix}" if slug else f"task-{suffix}")


def agent_name(text: str, *, field: str = "agent") -> str:
    """Return ``text`` as the name of an agent, worker or machine (1-100 printable characters).

    No control characters and no ``<`` or ``>``: names go into commit authors and terminals.
    """
    if not text.strip() or len(text) > 100 or _NAME_BAD.search(text) or not text.isprintable():
        raise InvalidInput(field, f"{text!r} is no name: 1-100 printable characters, no < or >")
    return text.strip()


def branch_name(text: str, *, field: str = "branch") -> str:
    """Return ``text`` as a branch name under the rules of git-check-ref-format(1)."""
    parts = text.split("/")
    if (
        not text
        or len(text) > 200
        or text in ("@", "HEAD")
        or text.startswith("-")
        or text.endswith(".")
        or _BRANCH_BAD.search(text)
        or any(not p or p.startswith(".") or p.endswith(".lock") for p in parts)
    ):
        raise InvalidInput(field, f"{text!r} is no branch name (git check-ref-format --branch)")
    return text


def is_oid(text: str) -> bool:
    """Tell whether ``text`` is a full object id (SHA-1 or SHA-256, lowercase hex)."""
    return _OID.fullmatch(text) is not None


def new_nonce() -> Nonce:
    """Return 128 fresh random bits in hex."""
    return Nonce(os.urandom(16).hex())
