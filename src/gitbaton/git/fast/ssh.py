"""A repository behind ssh: the user's own ssh, over one connection that all calls share.

It is the user's ``ssh`` with all of their configuration; every call is a new channel.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from gitbaton.git.fast.address import SshAddress
from gitbaton.git.fast.channel import Invocation
from gitbaton.git.fast.configuration import Configuration
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.master import Master
from gitbaton.git.fast.processes import Service
from gitbaton.git.fast.trouble import TookTooLong, Unfit
from gitbaton.git.runner import Git

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
    """Starts services of the repository at ``address``, as channels of one connection.

    Where the user's ssh keeps connections for sharing by itself, it is left to do that.
    """

    is_far = True

    def __init__(self, git: Git, words: Sequence[str], address: SshAddress) -> None:
        self._directory, self._env = git.directory, dict(git.env)
        self._words = [*words, *(f"-o{name}={value}" for name, value in _OPTIONS.items())]
        self._address = address
        self._lock = threading.Lock()
        self._master: Master | None = None
        self._shares: bool | None = None

    def prepare(self, service: Service, deadline: Deadline, *, version: int = 0) -> Invocation:
        env = {**self._env, "GIT_PROTOCOL": f"version={version}"} if version else self._env
        command = f"{service} {shlex.quote(self._address.path)}"
        words = [*self._channel(deadline), *_place(self._address), command]
        return Invocation(words, env, self._directory)

    def ended_itself(self, status: int | None) -> bool:
        return status is not None and 0 <= status != _SSH_FAILED

    def environment(self, deadline: Deadline) -> Mapping[str, str]:
        return {
            "GIT_SSH_COMMAND": shlex.join(self._channel(deadline)),
            "GIT_SSH_VARIANT": "ssh",
        }

    def close(self) -> None:
        with self._lock:
            master, self._master = self._master, None
        if master is not None:
            master.end()

    def _channel(self, deadline: Deadline) -> Sequence[str]:
        """Return the beginning of a command that opens a channel. Raises Unfit, TookTooLong.

        Makes a connection if there is none that listens.
        """
        if not self._lock.acquire(timeout=deadline.left()):
            raise TookTooLong("another call is still connecting", sent=False)
        try:
            if self._shares is None:
                self._shares = self._shares_by_itself(deadline)
            if self._shares:
                return self._words
            if self._master is not None and not self._master.listens():
                self._master.end()
                self._master = None
            if self._master is None:
                self._master = Master.start(
                    self._words, _place(self._address), self._env, self._directory, deadline
                )
            return self._master.words
        finally:
            self._lock.release()

    def _shares_by_itself(self, deadline: Deadline) -> bool:
        """Tell whether ssh_config(5) makes connections to this place stay for later commands."""
        try:
            asked = subprocess.run(
                [*self._words, "-G", *_place(self._address)],
                cwd=self._directory,
                env=self._env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=deadline.left(),
                check=False,
            )
        except OSError as error:
            raise Unfit(f"{self._words[0]}: {error.strerror}", lasting=True) from error
        except subprocess.TimeoutExpired as error:
            raise TookTooLong("ssh did not say how it is configured", sent=False) from error
        return keeps_connections(asked.stdout.decode("utf-8", "replace"))


def keeps_connections(configuration: str) -> bool:
    """Tell from the output of ``ssh -G`` whether connections are shared, and outlive a command."""
    lines = (line.partition(" ") for line in configuration.splitlines())
    said = {name: value for name, _, value in lines}
    return (
        said.get("controlmaster", "false") not in ("false", "no")
        and said.get("controlpath", "none") != "none"
        and said.get("controlpersist", "no") not in ("false", "no")
    )


def _place(address: SshAddress) -> list[str]:
    port = [] if address.port is None else ["-p", str(address.port)]
    return [*port, address.destination]
