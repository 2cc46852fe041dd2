"""What a partial clone lacks, and its remote has promised to send when it is read.

See git-clone(1), ``--filter``. Agents work with the clone's objects, so for them git fetches what
they open. Records are never left to that: each would cost a fetch, and a look would take minutes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from gitbaton.git.setting import format_setting

_FILE: Final = "clone.promises"
_KEYS: Final = re.compile(r"remote\..*\.(promisor|partialclonefilter)")
_FOR_WORKTREES: Final = ("includeIf.gitdir:**/baton/worktrees/*.path", _FILE)


def promise_options(repository: Path) -> tuple[str, ...]:
    """Return git's options to fetch what is promised; none where the clone is whole."""
    file = repository / _FILE
    return ("-c", f"include.path={file}") if has_promises(repository) else ()


def has_promises(repository: Path) -> bool | None:
    """Tell whether the clone is partial; None: that was never written down."""
    try:
        return (repository / _FILE).stat().st_size > 0
    except FileNotFoundError:
        return None


def drop_promises(options: Sequence[str]) -> tuple[str, ...]:
    """Return git's ``options`` without those of ``promise_options``."""
    kept: list[str] = []
    for word in options:
        if word.startswith("include.path=") and word.endswith(_FILE):
            kept.pop()  # the -c before it
        else:
            kept.append(word)
    return tuple(kept)


def write_promises(repository: Path, settings: Iterable[tuple[str, str | None]]) -> list[str]:
    """Keep what the clone's ``settings`` say of promises; return what to add to our own.

    Only for the worktrees of agents; what runs in the bare repository asks for it by name.
    """
    lines = [format_setting(name, value) for name, value in settings if _KEYS.fullmatch(name)]
    temporary = repository / f"{_FILE}.{os.getpid()}"
    temporary.write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
    temporary.replace(repository / _FILE)
    return [format_setting(*_FOR_WORKTREES)] if lines else []
