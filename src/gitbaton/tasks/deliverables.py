"""Deliverables that are files: how a task keeps them, and which of them a tree lacks (pure).

A task's deliverable is text. One that begins with the line ``files:`` goes on with path globs, one
a line, and of each at least one file must be in what lands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from gitbaton.tasks.globs import match

FILES: Final = "files:"

_WILD: Final = frozenset("*?[")


def files_text(globs: Iterable[str]) -> str:
    """Return the deliverable that promises files. ``promised_files`` is its inverse."""
    return "\n".join((FILES, *globs))


def promised_files(deliverable: str | None) -> tuple[str, ...]:
    """Return the globs that ``deliverable`` promises files for; none where it is just words."""
    first, *globs = (deliverable or "").split("\n")
    if first.strip() != FILES:
        return ()
    return tuple(glob.strip() for glob in globs if glob.strip())


def undelivered(globs: Iterable[str], files: Collection[str]) -> list[str]:
    """Return those of ``globs`` that no one of ``files`` matches; what is no glob is one (I9)."""
    return [glob for glob in globs if not _is_delivered(glob, files)]


def _is_delivered(glob: str, files: Collection[str]) -> bool:
    start = _literal(glob)
    try:
        return any(match(glob, file) for file in files if file.startswith(start))
    except ValueError:
        return False


def _literal(glob: str) -> str:
    """Return what every file that ``glob`` matches begins with: few are then compared in full."""
    end = next((at for at, character in enumerate(glob) if character in _WILD), len(glob))
    return glob[:end].rstrip("/")
