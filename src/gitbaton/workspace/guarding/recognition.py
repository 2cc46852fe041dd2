"""Knows our hooks again, and what they lead to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from gitbaton.workspace.guarding.script import MARK, SAVED

PREVIOUS: Final = "previous.json"
_PREFIX: Final = "guarded"


class Previous(msgspec.Struct, frozen=True):
    """core.hooksPath as it was: what applied, and what this clone itself had set (None: not)."""

    applied: str
    local: str | None


def is_ours(path: Path) -> bool:
    """Tell whether the hook at ``path`` is one of ours."""
    try:
        with path.open("rb") as file:
            return MARK.encode() in file.read(400)
    except OSError:
        return False


def is_idle(hook: Path) -> bool:
    """Tell whether ``hook`` is one of ours and there is none that it would run first.

    ``baton commit`` looks by itself whose task it is, so such a hook is nothing to it.
    """
    if not is_ours(hook):
        return False
    previous = read_previous(hook.parent)
    if previous is None:
        return not os.access(hook.with_name(hook.name + SAVED), os.X_OK)
    there = Path(previous.applied)
    # A relative one may be there in one tree and not in another: it is for the hook to look.
    return there.is_absolute() and not os.access(there / hook.name, os.X_OK)


def read_previous(directory: Path) -> Previous | None:
    """Return what core.hooksPath was before it led to ``directory``; None: that is not ours."""
    try:
        return msgspec.json.decode((directory / PREVIOUS).read_bytes(), type=Previous)
    except (OSError, msgspec.DecodeError):
        return None


def read_prefix(state: Path) -> str | None:
    """Return what the branches of tasks begin with where commits are guarded, else None.

    ``state``: the clone's own directory of gitbaton.
    """
    try:
        return (state / _PREFIX).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None


def write_prefix(state: Path, prefix: str | None) -> None:
    """Note that commits are guarded, for branches with ``prefix``; None: that they are not."""
    if prefix is None:
        (state / _PREFIX).unlink(missing_ok=True)
        return
    temporary = state / f"{_PREFIX}.{os.urandom(4).hex()}"
    state.mkdir(exist_ok=True)
    temporary.write_text(prefix, encoding="utf-8", errors="surrogateescape")
    temporary.replace(state / _PREFIX)
