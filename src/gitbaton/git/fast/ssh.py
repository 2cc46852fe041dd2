"""A repository behind ssh: the user's own ssh, over one connection that all calls share.

The connection is a master in the sense of ssh_config(5) ``ControlMaster``, with a socket in a
private directory. It is the user's ``ssh`` with all of their configuration; every call is a new
channel on it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gitbaton.git.answers import printable
from gitbaton.git.fast.address import SshAddress
from gitbaton.git.fast.channel import Invocation
from gitbaton.git.fast.configuration import Configuration
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.processes import Service
from gitbaton.git.fast.trouble import TookTooLong, Unfit
from gitbaton.git.runner import Git, end_group

_IDLE = 600  # seconds until a connection that nobody uses ends by itself: two heartbeats
_LONGEST_SOCKET = 80  # of the 104 bytes that some systems allow, ssh needs 17 more
_SSH_FAILED = 255  # ssh's own exit status; any other one is the command's

_OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": "20",
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
    # The master passes on only what it was told to pass on itself, whatever a channel asks for.
    "SendEnv": "GIT_PROTOCOL",
}
_SHELL = re.compile(r"[|&;<>()$`\\\n*?\[#~{]")
_OWN_MULTIPLEXING = re.compile(
    r"(?i:control(?:master|path|persist))|(?:^|\s)-[46AaCfGgKkNnqsTtVvXxYy]*[MSO]"
)
_UNREACHED = re.compile(
    r"Connection (?:refused|timed out|closed|reset)|No route to host|Network is unreachable"
    r"|Could not resolve hostname|Operation timed out|Connection to \S+ port \d+ timed out"
)


def ssh_words(env: Mapping[str, str], config: Configuration) -> list[str] | None:
    """Return the user's ssh command as words, found and run as git does (git(1), ``GIT_SSH``).

    None where it is not surely OpenSSH, or has a multiplexing of its own.
    """
    variant = env.get("GIT_SSH_VARIANT") or config.last("ssh.variant") or "auto"
    if variant not in ("auto", "ssh"):
        return None
    command = env.get("GIT_SSH_COMMAND") or config.last("core.sshcommand")
    try:
        words = shlex.split(command) if command else [env.get("GIT_SSH", "ssh")]
    except ValueError:
        return None
    if not words or Path(words[0]).name != "ssh" or _OWN_MULTIPLEXING.search(" ".join(words[1:])):
        return None
    if command and _SHELL.search(command):
        return ["sh", "-c", f'{command} "$@"', command]
    return words


class SshStarter:
    """Starts services of the repository at ``address``, as channels of one connection."""

    def __init__(self, git: Git, words: Sequence[str], address: SshAddress) -> None:
        self._directory, self._env = git.directory, dict(git.env)
        self._words, self._address = words, address
        self._lock = threading.Lock()
        self._master: _Master | None = None

    def prepare(self, service: Service, deadline: Deadline, *, version: int = 0) -> Invocation:
        env = {**self._env, "GIT_PROTOCOL": f"version={version}"} if version else self._env
        return Invocation(
            [
                *self._connect(deadline).words,
                *_place(self._address),
                f"{service} {shlex.quote(self._address.path)}",
            ],
            env,
            self._directory,
        )

    def ended_itself(self, status: int | None) -> bool:
        return status is not None and 0 <= status != _SSH_FAILED

    def environment(self, deadline: Deadline) -> Mapping[str, str]:
        return {
            "GIT_SSH_COMMAND": shlex.join(self._connect(deadline).words),
            "GIT_SSH_VARIANT": "ssh",
        }

    def close(self) -> None:
        with self._lock:
            master, self._master = self._master, None
        if master is not None:
            master.end()

    def _connect(self, deadline: Deadline) -> _Master:
        """Return a connection that listens, a new one if there is none. Raises Unfit, Lost."""
        if not self._lock.acquire(timeout=deadline.left()):
            raise TookTooLong("another call is still connecting", sent=False)
        try:
            if self._master is not None and not self._master.listens():
                self._master.end()
                self._master = None
            if self._master is None:
                self._master = _Master.start(
                    self._words, self._address, self._env, self._directory, deadline
                )
            return self._master
        finally:
            self._lock.release()


class _Master:
    """One authenticated connection. Ends with ``end()``, with this process, or when idle."""

    def __init__(self, words: Sequence[str], path: Path, end: Callable[[], None]) -> None:
        self.words, self._path = words, path
        self.end: Callable[[], object] = weakref.finalize(self, end)

    @staticmethod
    def start(
        words: Sequence[str],
        address: SshAddress,
        env: Mapping[str, str],
        directory: Path,
        deadline: Deadline,
    ) -> _Master:
        """Connect and authenticate. Raises Unfit, and TookTooLong with nothing sent."""
        place = _private_directory()
        path = place / "s"
        options = {**_OPTIONS, "ControlPath": str(path)}
        shared = [*words, *(f"-o{name}={value}" for name, value in options.items())]

        def end(owner: int = os.getpid()) -> None:
            if os.getpid() == owner:  # a forked child must not end its parent's connection
                _hang_up([*shared, "-Oexit", *_place(address)], env, directory)
                shutil.rmtree(place, ignore_errors=True)

        try:
            # It returns when it is authenticated and listens, and goes on in the background.
            how = ["-oControlMaster=yes", f"-oControlPersist={_IDLE}", "-f", "-N", "-T"]
            _run_to_end([*shared, *how, *_place(address)], env, directory, deadline)
        except BaseException:
            end()
            raise
        return _Master([*shared, "-oControlMaster=no"], path, end)

    def listens(self) -> bool:
        """Tell whether the connection is still there, without asking the other side."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self._path))
            except OSError:
                return False
        return True


def _run_to_end(
    argv: Sequence[str], env: Mapping[str, str], directory: Path, deadline: Deadline
) -> None:
    # A file, not a pipe: older versions keep it open in the background.
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                list(argv),
                cwd=directory,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as error:
            raise Unfit(f"{argv[0]}: {error.strerror}", lasting=True) from error
        try:
            status = process.wait(deadline.left())
        except subprocess.TimeoutExpired as error:
            raise TookTooLong("ssh made no connection in time", sent=False) from error
        finally:
            if process.poll() is None:
                end_group(process)
        errors.seek(0)
        words = printable(errors.read().decode("utf-8", "replace"))
    if status != 0:
        passing = _UNREACHED.search(words) is not None
        raise Unfit(words or f"ssh ended with status {status}", lasting=not passing)


def _hang_up(argv: Sequence[str], env: Mapping[str, str], directory: Path) -> None:
    try:
        subprocess.run(
            list(argv),
            cwd=directory if directory.is_dir() else "/",
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        pass  # then it ends when it has been idle for a while


def _place(address: SshAddress) -> list[str]:
    port = [] if address.port is None else ["-p", str(address.port)]
    return [*port, address.destination]


def _private_directory() -> Path:
    """Make a directory of our own whose name is short enough for a socket in it."""
    for parent in (tempfile.gettempdir(), "/tmp"):
        if len(parent) + len("/baton-12345678/s") <= _LONGEST_SOCKET and "%" not in parent:
            try:
                return Path(tempfile.mkdtemp(prefix="baton-", dir=parent))
            except OSError:
                continue
    raise Unfit("there is no place for a socket with a short name", lasting=True)
