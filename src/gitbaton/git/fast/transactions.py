"""Moves refs of a repository at a path by ``git update-ref --stdin``, one process for many moves.

Each update is a transaction of its own (git-update-ref(1), "start", "prepare", "commit"): git
locks the ref, compares its old value under the lock, and answers each step. The process ends at
the first step that fails; what came after it was surely not begun, and a new process takes it.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Final

from gitbaton.git.answers import rejected_there
from gitbaton.git.fast.channel import Invocation, start_service
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.remote import PushState, RefResult, RefUpdate
from gitbaton.git.runner import Git, end_group

_STEPS: Final = (b"start: ok", b"prepare: ok", b"commit: ok")
_BLOCK: Final = 65536


class RefTransactions:
    """A conversation with git about the refs of the repository that ``git`` names. Thread-safe."""

    def __init__(self, git: Git) -> None:
        self._how = Invocation(
            [git.binary, *git.options, "update-ref", "--stdin"], git.env, git.directory
        )
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._owner = os.getpid()

    def move(self, updates: Sequence[RefUpdate], deadline: Deadline) -> dict[str, RefResult]:
        """Make each update (none creates or deletes) on its own; return the fates that are known.

        One that is missing from the answer was surely not made, for a reason of git's own.
        """
        fates: dict[str, RefResult] = {}
        left = list(updates)
        with self._lock:
            while left:
                was_running = self._process is not None
                done, said = self._converse(left, deadline)
                fates.update((update.ref, RefResult(PushState.DONE)) for update in left[:done])
                left = left[done:]
                if not left or (was_running and not done and said == ""):
                    continue  # nothing said at all: it had ended since it was last used
                if said is None:
                    unknown = RefResult(PushState.UNKNOWN, "git did not say what it did")
                    fates.update((update.ref, unknown) for update in left)
                    break
                fate = rejected_there(said)
                if fate.state is PushState.STALE:
                    fates[left[0].ref] = fate
                left = left[1:]
        return fates

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._drop()

    def _converse(self, updates: Sequence[RefUpdate], deadline: Deadline) -> tuple[int, str | None]:
        """Ask for all ``updates``; return how many were made, and why not the next one.

        None: it, or any that follows, may have been made or not. Else none of them was begun.
        """
        try:
            process = self._running()
        except OSError as error:
            return 0, f"git could not be started: {error.strerror}"
        request = b"".join(map(_transaction, updates))
        try:
            answer, ended = self._ask(process, request, len(updates), deadline)
        except OSError:  # no more files to be had: what git did then is not heard
            answer, ended = [], False
        except BaseException:
            self._drop()  # the conversation is out of step
            raise
        wanted = [step for _ in updates for step in _STEPS]
        if answer == wanted:
            return len(updates), ""
        said = self._drop()
        done, step = divmod(len(answer), len(_STEPS))
        if answer != wanted[: len(answer)] or not ended or step == _STEPS.index(b"commit: ok"):
            return min(done, _agreeing(answer, wanted) // len(_STEPS)), None
        return done, said

    def _ask(
        self, process: subprocess.Popen[bytes], request: bytes, count: int, deadline: Deadline
    ) -> tuple[list[bytes], bool]:
        """Send ``request``; return the lines of the answer, and whether git has said all it will.

        If it has not, more may have been done than was heard, even if it has ended meanwhile.
        """
        assert process.stdin is not None and process.stdout is not None
        with suppress(BrokenPipeError):
            rest = memoryview(request)
            while rest:
                rest = rest[process.stdin.write(rest) :]
        said, ended = b"", False
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            while said.count(b"\n") < count * len(_STEPS):
                if deadline.over() or not ready.select(deadline.left()):
                    break
                data = os.read(process.stdout.fileno(), _BLOCK)
                if not data:
                    ended = True
                    break
                said += data
        return said.split(b"\n")[:-1], ended

    def _running(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():  # after a fork the pipes belong to the parent
            self._process, self._errors, self._owner = None, None, os.getpid()
        if self._process is None:
            self._process, self._errors = start_service(self._how)
        return self._process

    def _drop(self) -> str:
        """End the process; return its last words."""
        process, errors = self._process, self._errors
        self._process = self._errors = None
        if process is None or errors is None or self._owner != os.getpid():
            return ""
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        with suppress(subprocess.TimeoutExpired):  # at the end of its input it ends by itself
            process.wait(1.0)
        end_group(process)
        with errors:
            errors.seek(0)
            return errors.read().decode("utf-8", "replace").strip()


def _agreeing(answer: Sequence[bytes], wanted: Sequence[bytes]) -> int:
    """Return how many lines of ``answer`` are as they were ``wanted``, before one is not."""
    pairs = zip(answer, wanted, strict=False)
    return next((i for i, (one, other) in enumerate(pairs) if one != other), len(answer))


def _transaction(update: RefUpdate) -> bytes:
    return f"start\nupdate {update.ref} {update.new} {update.old}\nprepare\ncommit\n".encode()
