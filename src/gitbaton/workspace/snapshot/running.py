"""Runs one hook as git does: nothing to read, all it prints shown, its exit status the answer."""

from __future__ import annotations

import errno
import os
import selectors
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from gitbaton.core.clock import Clock
from gitbaton.git.runner import LEAKING, end_group
from gitbaton.git.sharing import users_umask
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.snapshot.ending import ended_with_us
from gitbaton.workspace.snapshot.occupancy import MARK, Occupation

_LOOK: Final = 0.05  # seconds between looks at a hook whose output is kept open
_CHUNK: Final = 65_536


class HookTimeout(Exception):
    """The hook took longer than allowed and was ended with all that it started."""


class HookNotStarted(Exception):
    """The hook is no program that can be run."""


class Output:
    """What hooks print: told at once, and its beginning and end kept within ``cap`` bytes."""

    def __init__(self, tell: Callable[[bytes], None], *, cap: int) -> None:
        self._tell, self._half = tell, cap // 2
        self._head, self._tail = bytearray(), bytearray()
        self._dropped = 0

    def write(self, data: bytes) -> None:
        """Take ``data``."""
        self._tell(data)
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail += data[room:] if room < len(data) else b""
        excess = len(self._tail) - self._half
        if excess > 0:
            del self._tail[:excess]
            self._dropped += excess

    def content(self) -> bytes:
        """Return what is kept, with a line in place of what is not."""
        middle = b"\n[baton: %d bytes dropped here]\n" % self._dropped if self._dropped else b""
        return bytes(self._head) + middle + bytes(self._tail)


def hook_environment(
    env: Mapping[str, str], tree: WorkingTree, *, identity: Mapping[str, str], prefix: str
) -> dict[str, str]:
    """Return what ``git commit`` puts in a hook's environment, made from the user's own ``env``.

    Git's repository variables are taken out: git finds the checkout by itself. The author is
    ``identity``, or where that is empty who would be the author in ``tree``.
    """
    programs = tree.git.run("--exec-path").text
    kept = {name: value for name, value in env.items() if name not in LEAKING}
    return {
        **kept,
        **(identity or _read_author(tree)),
        "PATH": os.pathsep.join(part for part in (programs, env.get("PATH", "")) if part),
        "GIT_INDEX_FILE": ".git/index",
        "GIT_PREFIX": prefix,
        "GIT_EDITOR": ":",
    }


def _read_author(tree: WorkingTree) -> dict[str, str]:
    """Return the author of a commit made now. Nothing where git does not know one."""
    asked = tree.git.run("var", "GIT_AUTHOR_IDENT", check=False)
    name, _, rest = asked.text.partition(" <")
    email, _, date = rest.partition("> ")
    if asked.status != 0 or not date:
        return {}
    return {
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_AUTHOR_DATE": f"@{date}",  # as git commit exports it
    }


def run_hook(
    argv: Sequence[str],
    *,
    directory: Path,
    env: Mapping[str, str],
    output: Output,
    timeout: float | None,
    occupation: Occupation,
) -> int:
    """Run the hook ``argv`` in ``directory`` to its end and return its exit status.

    128 + n after signal n. Its end is the end of its own process: what it leaves in the background
    is not waited for. A signal that ends this process ends it, too. Raises HookTimeout after
    ``timeout`` seconds, HookNotStarted.
    """
    process = _start(argv, directory, env, occupation)
    try:
        assert process.stdout is not None
        with ended_with_us(process):
            _follow(process, process.stdout, output, timeout, occupation.clock)
    except BaseException:
        end_group(process)
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _start(
    argv: Sequence[str], directory: Path, env: Mapping[str, str], occupation: Occupation
) -> subprocess.Popen[bytes]:
    # A script without its first line is one for the shell, as git has it (run-command.c).
    for words in (list(argv), ["/bin/sh", *argv]):
        try:
            return subprocess.Popen(
                words,
                cwd=directory,
                env={**env, "PWD": str(directory), MARK: occupation.mark},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(occupation.handle,),
                umask=users_umask(),
            )
        except OSError as error:
            if error.errno != errno.ENOEXEC or words[0] == "/bin/sh":
                raise HookNotStarted(error.strerror) from error
    raise AssertionError("the last way starts or raises")


def _follow(
    process: subprocess.Popen[bytes],
    pipe: IO[bytes],
    output: Output,
    timeout: float | None,
    clock: Clock,
) -> None:
    """Pass on what ``process`` prints until it has ended."""
    start = clock.elapsed()
    os.set_blocking(pipe.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        is_open = True
        while is_open or process.poll() is None:
            # Looked at before reading: what was printed before the end is then in the pipe.
            has_ended = process.poll() is not None
            if is_open:
                selector.select(0 if has_ended else _LOOK)
                is_open = _drain(pipe, output) and not has_ended
                if not is_open:
                    selector.unregister(pipe)
            else:
                _wait(process)
            if timeout is not None and clock.elapsed() - start > timeout:
                raise HookTimeout


def _drain(pipe: IO[bytes], output: Output) -> bool:
    """Take what is in ``pipe``; tell whether somebody still may write to it."""
    while True:
        try:
            data = os.read(pipe.fileno(), _CHUNK)
        except BlockingIOError:
            return True
        if not data:
            return False
        output.write(data)


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_LOOK)
    except subprocess.TimeoutExpired:
        pass
