"""Where history ends early in the coordination repository: kept to the ends that still matter.

Each fetch of a part of a history notes where that part begins (gitrepository-layout(5),
``shallow``), git never takes such a note back, and every fetch names them all to the server. Those
who change the notes take turns, and none of them is in the way when it is killed (shallowlock.py).
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Iterable
from typing import Final

from gitbaton.core.errors import RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.git.objects import decode_commit
from gitbaton.git.plain import PlainRemote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.git.shallowlock import ShallowLock

_MANY: Final = 100
_PATIENCE: Final = 300.0  # seconds: as long as a fetch may take
_PAUSE: Final = 0.1


def fetch_last(
    repository: CoordinationRepository,
    remote: PlainRemote,
    ref: str,
    depth: int | None,
    *,
    patience: float = _PATIENCE,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Bring the last ``depth`` commits of ``ref`` (None: all); history here then ends there.

    Waits for other processes of the clone that do so, for ``patience`` seconds. Raises
    RemoteUnreachable, HostRefused.
    """
    lock = ShallowLock(repository.path)
    end = time.monotonic() + patience
    while True:
        if lock.clear():
            with lock.used() as inherit:
                if remote.fetch_last(ref, depth, inherit=inherit):
                    return
        if time.monotonic() >= end:
            raise RemoteUnreachable(
                f"another git fetches into {repository.path}, and does not end",
                next=f"if no git is running there: rm {shlex.quote(str(lock.path))}",
            )
        sleep(_PAUSE)


def forget_ends(
    repository: CoordinationRepository,
    is_past: Callable[[str], bool],
    *,
    needed: Callable[[], Iterable[Oid]] = tuple,
    above: int = _MANY,
) -> int:
    """Forget ends of which nobody needs to know any more, where there are more than ``above``.

    Those go whose commit has a subject that ``is_past``, and that neither a ref leads to nor one of
    the commits ``needed``: nothing is built on them. Returns how many went; none while another
    process changes them.
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
    tips = set(needed())
    there = sorted(tips - repository.objects.missing_commits(tips))
    lines = "".join(f"{oid}\n" for oid in (*past, *(f"^{tip}" for tip in there))).encode()
    asked = repository.git.run("rev-list", "--stdin", "--not", "--all", stdin=lines, check=False)
    return _remove(repository, set(asked.text.split("\n"))) if asked.status == 0 else 0


def _remove(repository: CoordinationRepository, gone: set[str]) -> int:
    """Take ``gone`` out of the file, under the lock that git itself takes for it."""
    lock = ShallowLock(repository.path)
    with lock.used():
        try:
            handle = os.open(lock.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except OSError:  # it is in use, or nothing can be written here: another time will do
            return 0
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                ends = _read(repository)
                kept = [oid for oid in ends if oid not in gone]
                file.writelines(f"{oid}\n" for oid in kept)
            lock.path.replace(repository.path / "shallow")
        except BaseException as error:
            lock.path.unlink(missing_ok=True)
            if isinstance(error, OSError):  # the disk is full
                return 0
            raise
    return len(ends) - len(kept)


def _read(repository: CoordinationRepository) -> list[Oid]:
    try:
        text = (repository.path / "shallow").read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    return [Oid(line) for line in text.split()]
