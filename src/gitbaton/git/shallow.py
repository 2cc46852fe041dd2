"""Where history ends early in the coordination repository: kept to the ends that still matter.

Each fetch of a part of a history notes where that part begins (gitrepository-layout(5),
``shallow``), git never takes such a note back, and every fetch names them all to the server.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from gitbaton.core.ids import Oid
from gitbaton.git.objects import decode_commit
from gitbaton.git.repository import CoordinationRepository

_MANY: Final = 100


def forget_ends(
    repository: CoordinationRepository, is_past: Callable[[str], bool], *, above: int = _MANY
) -> int:
    """Forget ends of which nobody needs to know any more, where there are more than ``above``.

    Those go whose commit has a subject that ``is_past``, and that no ref leads to: nothing is
    built on them. Returns how many went; none while another process changes them.
    """
    ends = _read(repository)
    if len(ends) <= above:
        return 0
    found = repository.objects.find_many(ends)
    past = [
        oid
        for oid, item in zip(ends, found, strict=True)
        if item is not None and item[0] == "commit" and is_past(decode_commit(item[1]).subject)
    ]
    if not past:
        return 0
    lines = "".join(f"{oid}\n" for oid in past).encode()
    asked = repository.git.run("rev-list", "--stdin", "--not", "--all", stdin=lines, check=False)
    return _remove(repository, set(asked.text.split("\n"))) if asked.status == 0 else 0


def _remove(repository: CoordinationRepository, gone: set[str]) -> int:
    """Take ``gone`` out of the file, under the lock that git itself takes for it."""
    path = repository.path / "shallow"
    lock = path.with_name("shallow.lock")
    try:
        handle = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return 0
    with os.fdopen(handle, "w", encoding="ascii") as file:
        ends = _read(repository)
        kept = [oid for oid in ends if oid not in gone]
        file.writelines(f"{oid}\n" for oid in kept)
    lock.replace(path)
    return len(ends) - len(kept)


def _read(repository: CoordinationRepository) -> list[Oid]:
    try:
        text = (repository.path / "shallow").read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    return [Oid(line) for line in text.split()]
