"""One lock a working tree: whoever moves its branch from a private index holds it.

An flock(2) on a file in the tree's git directory. The kernel frees it with the process that took
it, however that ends, and its descriptor is closed in every child (PEP 446), so that neither a
hook's background job nor a killed holder keeps it. What is written in the file is only for people:
who holds it, to be shown to those who wait. A stale note blocks nobody. Those who wait stand in a
queue, and only the first of them tries the lock.

A holder that is killed while git writes the shared index for it leaves that git running for some
milliseconds. Such a git, and no other, inherits the descriptor of a second lock, the *pen*: who
comes next waits until it has been laid down.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.errors import Refused
from gitbaton.core.flock import lock_now
from gitbaton.workspace.safecommit.queue import Ticket, draw, is_empty
from gitbaton.workspace.safecommit.storage import writing

_FIRST_PAUSE: Final = 0.002  # seconds between looks, doubled up to the longest
_LONGEST_PAUSE: Final = 0.04
_NEXT_PAUSE: Final = 0.004  # the longest of whoever is first in the queue: there is only one
_STANDSTILL: Final = 1.0  # seconds; a lock that is free for longer is passed over by a stopped one
_PATIENT: Final = 1.0  # seconds of waiting after which the waiting is mentioned
_PEN_PATIENCE: Final = 30.0  # seconds; git writes an index in a fraction of one

_SHARE: Final = "if a group shares this clone: git config core.sharedRepository group (git-init(1))"

Waiting = Callable[[str], None]
"""Told once, in words, whom one waits for."""


class TreeBusy(Refused):
    """Another process held the lock of the working tree for longer than one was ready to wait."""

    def __init__(self, message: str, *, holder: Holder | None) -> None:
        super().__init__(
            message,
            code="busy",
            next="the same command again, with --wait 5m if hooks take long",
        )
        self.holder = holder


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds the lock. ``since`` is for people; ``taken`` counts on the clock of ``origin``."""

    pid: int
    command: str
    session: str | None = None
    agent: str | None = None
    task: str | None = None
    since: str = ""
    taken: float = 0.0
    origin: str = ""

    def describe(self, clock: Clock) -> str:
        """Return who that is and since when, in words."""
        who = [f"process {self.pid} ({self.command})"]
        if self.session:
            who.append(f"session {self.session}")
        if self.agent:
            who.append(f"agent {self.agent}")
        if self.task:
            who.append(f"task {self.task}")
        held = ""
        if self.origin == clock.origin:
            held = f", for {max(clock.elapsed() - self.taken, 0):.0f} s"
        return f"{', '.join(who)}, since {self.since}{held}"


class Hold(Struct, frozen=True):
    """The lock of a working tree, held. ``pen``: for git processes that write its index."""

    pen: int


class TreeLock(Struct, frozen=True):
    """The lock of the working tree whose own directory is ``state`` (see WorkingTree.state).

    ``who``: what others are shown while this process holds it.
    """

    state: Path
    clock: Clock
    who: Holder

    @contextlib.contextmanager
    def hold(self, *, timeout: float, waiting: Waiting | None = None) -> Iterator[Hold]:
        """Hold the lock while the block runs.

        Waits up to ``timeout`` seconds; after the first one ``waiting`` is told for whom. Raises
        TreeBusy with the holder, Refused where its file cannot be opened. Not re-entrant: a second
        ``hold`` in one process waits too.
        """
        with self._open("commit.lock") as lock, self._open("commit.pen") as pen:
            if self._is_awaited() or not lock_now(lock):
                self._stand_in_line(lock, timeout, waiting)
            self._await_pen(pen)
            self._sign(lock)
            try:
                yield Hold(pen)
            finally:
                with contextlib.suppress(OSError):
                    os.ftruncate(lock, 0)

    def holder(self) -> Holder | None:
        """Return who wrote their name last, None where nobody did. It proves nothing."""
        try:
            return msgspec.json.decode((self.state / "commit.lock").read_bytes(), type=Holder)
        except (OSError, msgspec.DecodeError):
            return None

    @contextlib.contextmanager
    def _open(self, name: str) -> Iterator[int]:
        path = self.state / name
        try:
            self.state.mkdir(exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise Refused(
                f"the lock of this working tree cannot be taken: {path}: {error.strerror}",
                code="cannot_lock",
                next=_SHARE if isinstance(error, PermissionError) else f"ls -ld {path}",
            ) from error
        try:
            yield handle
        finally:
            os.close(handle)

    @property
    def _queue(self) -> Path:
        return self.state / "commit.queue"

    def _is_awaited(self) -> bool:
        with writing(self.state):
            return not is_empty(self._queue)

    def _stand_in_line(self, lock: int, timeout: float, waiting: Waiting | None) -> None:
        with writing(self.state):
            ticket = draw(self._queue)
        try:
            self._take(lock, ticket, timeout, waiting)
        finally:
            ticket.give_back()

    def _take(self, lock: int, ticket: Ticket, timeout: float, waiting: Waiting | None) -> None:
        start = self.clock.elapsed()
        calm = _Calm(lock, start)
        first = False
        pause = _FIRST_PAUSE
        while True:
            if not first and ticket.is_first():
                first, pause = True, _FIRST_PAUSE
            now = self.clock.elapsed()
            # Somebody ahead who is stopped (^Z) must not stop all others.
            if (first or calm.lasts(now)) and lock_now(lock):
                return
            if now - start >= timeout:
                raise self._busy(ticket, now - start)
            if waiting is not None and now - start >= _PATIENT:
                waiting(f"waiting for {self._described(ticket)}")
                waiting = None
            self.clock.sleep(pause)
            pause = min(pause * 2, _NEXT_PAUSE if first else _LONGEST_PAUSE)

    def _await_pen(self, pen: int) -> None:
        """Wait, as the holder of the lock, for a git that a killed holder left."""
        start = self.clock.elapsed()
        while not lock_now(pen):
            waited = self.clock.elapsed() - start
            if waited >= _PEN_PATIENCE:
                raise TreeBusy(
                    "a git command of a commit that was killed still writes the index of this "
                    f"working tree; waited {waited:.0f} s",
                    holder=None,
                )
            self.clock.sleep(_FIRST_PAUSE)

    def _sign(self, handle: int) -> None:
        note: dict[str, Any] = {
            **msgspec.structs.asdict(self.who),
            "since": rfc3339(self.clock.now()),
            "taken": self.clock.elapsed(),
            "origin": self.clock.origin,
        }
        with contextlib.suppress(OSError):  # no space: whoever waits is not told for whom
            os.ftruncate(handle, 0)
            os.pwrite(handle, msgspec.json.encode(note), 0)

    def _busy(self, ticket: Ticket, waited: float) -> TreeBusy:
        return TreeBusy(
            f"another commit is at work in this working tree: {self._described(ticket)}; "
            f"waited {waited:.0f} s",
            holder=self.holder(),
        )

    def _described(self, ticket: Ticket) -> str:
        holder = self.holder()
        who = "a process that left no name" if holder is None else holder.describe(self.clock)
        ahead = ticket.count_ahead()
        return f"{who}, and for {ahead} that came before" if ahead else who


class _Calm:
    """Notices that a lock has not been taken or given up for a while. Its note tells: by then,
    whoever is first in the queue would have taken a lock that is free.
    """

    def __init__(self, lock: int, now: float) -> None:
        self._lock = lock
        self._written = self._read()
        self._since = now

    def lasts(self, now: float) -> bool:
        """Tell, once in that while, whether nothing has happened."""
        written = self._read()
        if written == self._written and now - self._since < _STANDSTILL:
            return False
        quiet = written == self._written
        self._written, self._since = written, now
        return quiet

    def _read(self) -> int:
        return os.fstat(self._lock).st_mtime_ns
