"""Marks of the processes that own something in a clone: locks that end with their process.

A number says nothing of a process in another container (``core.process``). But containers on one
clone share its files, and a kernel has one flock(2) for all of them. So whoever writes itself into
the clone as the owner of something holds one on a file of its own name: where nobody holds it any
more, its process is gone, from wherever that is looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from gitbaton.core.errors import BatonError
from gitbaton.core.flock import lock_now
from gitbaton.core.process import Process, find_process, judge

_NAMEABLE: Final = re.compile("[0-9]{1,20}")
_held: set[int] = set()  # the open files of all marks of this process


class Owners:
    """The marks in ``directory``. ``origin``: of this boot of this machine (``Clock.origin``)."""

    def __init__(self, directory: Path, origin: str) -> None:
        self._directory, self._origin = directory, origin
        self._me: Process | None = None
        self._handle: int | None = None

    def enter(self) -> Process:
        """Return this process, which has its mark from now on: it is about to own something.

        Where no mark can be made it is judged by its number alone. Raises BatonError where the
        process cannot be seen.
        """
        if self._me is None or self._me.pid != os.getpid():  # else forked from the one that did
            me = find_process(os.getpid(), origin=self._origin)
            if me is None:
                raise BatonError(
                    "this process cannot see itself in the process table",
                    next="mount -t proc proc /proc",
                )
            self._me, self._handle = me, self._mark(me)
        return self._me

    def judge(self, process: Process) -> bool | None:
        """Tell whether that very process still runs; None: that cannot be told from here."""
        verdict = judge(process, origin=self._origin)
        name = _name(process)
        if verdict is not None or name is None:
            return verdict
        with _opened(self._directory / name) as handle:
            return None if handle is None else not lock_now(handle)

    def is_alive(self, process: Process) -> bool:
        """Tell whether it may still run. Two who ask at once may see each other's look for it."""
        return self.judge(process) is not False

    def is_seen(self, process: Process) -> bool:
        """Tell whether it is seen to run: for people who know that what is not seen has ended."""
        return self.judge(process) is True

    def sweep(self, named: Callable[[], Collection[Process]]) -> int:
        """Erase the marks of processes that are gone; return how many.

        Those of ``named`` stay, for records name them: without its mark such a process could not
        be judged. It is asked after the look at the marks: who is gone by then names nobody more.
        """
        gone = [path for path in self._marks() if self._is_gone(path, erase=False)]
        if not gone:
            return 0
        kept = {_name(process) for process in named()}
        return sum(self._is_gone(path, erase=True) for path in gone if path.name not in kept)

    def close(self) -> None:
        """Give the mark up: this process does nothing more in the clone."""
        if self._handle in _held:
            _held.discard(self._handle)
            os.close(self._handle)
        self._me = self._handle = None

    def _mark(self, me: Process) -> int | None:
        name = _name(me)
        if name is None:
            return None
        with suppress(OSError):
            self._directory.mkdir(parents=True, exist_ok=True)
            return _hold(self._directory / name)
        return None

    def _marks(self) -> list[Path]:
        with suppress(FileNotFoundError):
            return [self._directory / name for name in os.listdir(self._directory)]
        return []

    @staticmethod
    def _is_gone(path: Path, *, erase: bool) -> bool:
        """Tell whether nobody holds the mark ``path``; then ``erase`` it, while we do."""
        with _opened(path) as handle:
            if handle is None or not lock_now(handle):
                return False
            if erase:
                path.unlink(missing_ok=True)
            return True


def _name(process: Process) -> str | None:
    """Return what its mark is called, None for one that has none."""
    words = (process.namespace or "", str(process.pid), process.start)
    return "-".join(words) if all(_NAMEABLE.fullmatch(word) for word in words) else None


def _hold(path: Path) -> int:
    """Hold the mark ``path`` with all of this process that do; return it open. Raises OSError."""
    from fcntl import LOCK_SH, flock  # not there on Windows, which has no namespaces either

    while True:
        handle = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            flock(handle, LOCK_SH)
            if _is_at(path, handle):
                _held.add(handle)
                return handle
        except OSError:
            os.close(handle)
            raise
        os.close(handle)  # a sweep was faster: nobody held it as yet


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    """Give ``path`` open, None where it is not there or not ours to look at."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        yield None
        return
    try:
        yield handle
    finally:
        os.close(handle)


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(handle))
    except FileNotFoundError:
        return False


def _let_go() -> None:
    """Close the marks in a forked child, which shares the locks of its parent until then."""
    for handle in _held:
        os.close(handle)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
