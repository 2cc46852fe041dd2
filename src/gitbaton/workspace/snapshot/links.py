"""What git ignores and hooks need all the same: linked into the checkout, never committed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from gitbaton.core.errors import InvalidInput

_CORRECT: Final = "correct links under [commit] in baton.toml"
_SPECIAL: Final = re.compile(r"([\\*?\[\]!# ])")


def check_links(links: Sequence[str]) -> tuple[PurePosixPath, ...]:
    """Return ``links`` as paths from the top. Raises InvalidInput for one that leads elsewhere."""
    checked = []
    for link in links:
        path = PurePosixPath(link)
        parts = path.parts
        if not parts or path.is_absolute() or ".." in parts or "\0" in link or "\n" in link:
            raise InvalidInput("commit.links", f"{link!r} is no path below the top", next=_CORRECT)
        if any(part.lower() == ".git" for part in parts):
            raise InvalidInput("commit.links", f"{link!r} is a git directory", next=_CORRECT)
        checked.append(path)
    return tuple(checked)


def exclude_links(links: Iterable[PurePosixPath]) -> list[str]:
    """Return the lines by which git ignores ``links``: a pattern with a slash at its end, as most
    projects have it, does not match a symbolic link (gitignore(5))."""
    return ["/" + _SPECIAL.sub(r"\\\1", str(link)) for link in links]


def make_links(links: Iterable[PurePosixPath], *, top: Path, checkout: Path) -> list[str]:
    """Link each of ``links`` from ``checkout`` to ``top``; return why some could not be."""
    notes = []
    for link in links:
        reason = _make_link(link, top, checkout)
        if reason:
            notes.append(f"{link} is not linked for the hooks: {reason}")
    return notes


def _make_link(link: PurePosixPath, top: Path, checkout: Path) -> str | None:
    source, target = top / link, checkout / link
    if not os.path.lexists(source):
        return "there is none in the working tree"
    if os.path.lexists(target):
        return "it is in the commit"
    parent = target.parent
    while parent != checkout:
        if parent.is_symlink() or not parent.is_dir():
            return f"{link.parent} is no directory of the commit"
        parent = parent.parent
    target.symlink_to(source)
    return None
