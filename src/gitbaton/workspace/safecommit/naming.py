"""What a word on the command line names: a path from the top of the working tree (pure).

No pattern is ever expanded and no link followed: ``*.py`` is a file of that name.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from gitbaton.core.errors import Refused


def resolve(word: bytes, prefix: bytes, top: bytes) -> bytes:
    """Return the path that ``word`` names, from the top; empty: the top itself.

    ``prefix``: the directory that the command was given in, from the top, with a final slash; an
    absolute ``word`` must lie in ``top``. Only the letters count: the disk is not looked at. Raises
    Refused for what is outside, or in a git directory.
    """
    if not word:
        raise Refused("an empty path names nothing", code="no_path", next="git status --short")
    if word.startswith(b"/"):
        below = top.rstrip(b"/") + b"/"
        if word.rstrip(b"/") == top.rstrip(b"/"):
            return b""
        if not word.startswith(below):
            raise _outside(word)
        parts = word[len(below) :].split(b"/")
    else:
        parts = (prefix + word).split(b"/")
    kept: list[bytes] = []
    for part in parts:
        if part == b"..":
            if not kept:
                raise _outside(word)
            kept.pop()
        elif part not in (b"", b"."):
            kept.append(part)
    if any(part.lower() == b".git" for part in kept):
        raise Refused(
            f"{shown(word)} is in a git directory", code="outside", next="git status --short"
        )
    return b"/".join(kept)


def under_top(word: bytes, top: Path) -> bytes:
    """Return an absolute ``word`` spelled below ``top``, where a link leads there (/tmp on macOS).

    Links below the top are not followed: one there is named itself.
    """
    above = os.fsdecode(word)
    rest: list[str] = []
    while above not in ("", os.sep):
        if os.path.realpath(above) == os.fspath(top):
            return os.fsencode("/".join([os.fspath(top), *reversed(rest)]))
        above, name = os.path.split(above.rstrip(os.sep))
        rest.append(name)
    return word


def shown(path: bytes) -> str:
    """Return ``path`` as a shell takes it."""
    return shlex.quote(path.decode("utf-8", "surrogateescape"))


def listed(paths: Iterable[bytes], *, most: int = 5) -> str:
    """Return ``paths`` in words: the first few, and how many more there are."""
    every = list(paths)
    text = ", ".join(shown(path) for path in every[:most])
    return text if len(every) <= most else f"{text} and {len(every) - most} more"


def command(paths: Sequence[bytes], *options: str, most: int = 8) -> str:
    """Return the ``baton commit`` that names ``paths``, to be copied."""
    words = [shown(path) for path in paths[:most]] + (["…"] if len(paths) > most else [])
    return " ".join(["baton", "commit", *options, *words, "-m", "MSG"])


def _outside(word: bytes) -> Refused:
    return Refused(
        f"{shown(word)} is outside of this working tree", code="outside", next="git status --short"
    )
