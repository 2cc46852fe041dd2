"""A ref update in two steps, by ``git update-ref --stdin``: first sure to succeed, then done.

``prepare`` takes the lock of the ref (and of HEAD, if that stands on it) and checks the old value.
From then on nobody else can move either, until ``commit`` or ``abort``. A process that dies in
between aborts: git sees the end of its input (git-update-ref(1), "start", "prepare", "commit").
"""

from __future__ import annotations

import contextlib
import subprocess
from types import TracebackType
from typing import Self

from gitbaton.core.errors import BatonError, GitFailed
from gitbaton.core.ids import Oid
from gitbaton.git.runner import Git, end_group


class RefTransaction:
    """One ref that shall move from ``old`` to ``new``; None: it is not there.

    ``ref`` is a full name; ``HEAD`` means HEAD itself, not the branch that it names. With ``new``
    equal to ``old`` the ref is only held where it is. Leaving the block without ``commit`` aborts.
    """

    def __init__(self, git: Git, ref: str, *, old: Oid | None, new: Oid | None, log: str) -> None:
        self._ref, self._old, self._new = ref, old, new
        self._argv = [git.binary, *git.options, "update-ref", "-m", log, "--no-deref", "--stdin"]
        try:
            self._process = subprocess.Popen(
                self._argv,
                cwd=git.directory,
                env=dict(git.env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise BatonError(
                f"git could not be started: {error.strerror}", next="git --version"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()

    def prepare(self) -> None:
        """Lock the ref and check its old value. Raises GitFailed: then nothing was changed."""
        if self._new == self._old:
            command = f"verify {self._ref} {self._old or ''}".rstrip()  # no value: not there
        elif self._new is not None:
            nothing = "0" * len(self._new)
            command = f"update {self._ref} {self._new} {self._old or nothing}"
        else:
            command = f"delete {self._ref} {self._old}"
        self._tell(f"start\n{command}\nprepare\n")
        self._expect("start: ok")
        self._expect("prepare: ok")

    def commit(self) -> None:
        """Move the ref. Raises GitFailed when git could not; then ask where it is."""
        self._tell("commit\n")
        self._expect("commit: ok")
        self._end()

    def abort(self) -> None:
        """Let go of what is not committed. May be called at any time."""
        if self._process.poll() is None:
            with contextlib.suppress(OSError):
                self._tell("abort\n")
            self._end()

    def _tell(self, text: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text.encode("utf-8", "surrogateescape"))
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # it has ended: the answer that does not come says so

    def _expect(self, answer: str) -> None:
        assert self._process.stdout is not None
        if self._process.stdout.readline().decode("utf-8", "replace").strip() != answer:
            raise GitFailed(self._argv, *self._end())

    def _end(self) -> tuple[int, str]:
        try:
            _, said = self._process.communicate()
        except BaseException:
            end_group(self._process)
            raise
        return self._process.returncode, said.decode("utf-8", "replace")
