"""What the words of ``baton commit`` mean: paths and messages, as bytes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from gitbaton.core.errors import InvalidInput
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.safecommit.message import join_paragraphs
from gitbaton.workspace.safecommit.naming import resolve, under_top


def read_paths(words: Sequence[str], tree: WorkingTree) -> tuple[bytes, ...]:
    """Return the paths from the top that ``words`` name. Raises Refused for one outside."""
    top = os.fsencode(tree.top)
    named = []
    for word in map(os.fsencode, words):
        full = under_top(word, tree.top) if word.startswith(b"/") else word
        named.append(resolve(full, tree.prefix, top))
    return tuple(named)


def read_message(texts: Sequence[str], file: str | None, directory: Path) -> bytes | None:
    """Return the message of ``-m`` or ``-F``, None where neither is given.

    ``file``: from ``directory``; ``-`` is standard input. Raises InvalidInput where it cannot be
    read, click.UsageError when both are given.
    """
    if texts and file is not None:
        raise click.UsageError("give -m or -F, not both")
    if file is None:
        return join_paragraphs([os.fsencode(text) for text in texts]) if texts else None
    try:
        with click.open_file(file if file == "-" else str(directory / file), "rb") as source:
            data: bytes = source.read()
    except OSError as error:
        raise InvalidInput(
            "-F", f"{file}: {error.strerror}", next="baton commit PATH… -m MSG"
        ) from error
    return data
