"""How a server is started: here, or on another host by the user's own ssh."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from gitbaton.core.errors import Refused
from gitbaton.git.fast.address import SshAddress
from gitbaton.git.fast.channel import Invocation
from gitbaton.git.fast.configuration import Configuration
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.ssh import SshStarter, ssh_words
from gitbaton.git.runner import Git, clean_environment

_SSH_FAILED: Final = 255  # ssh's own exit status; any other one is the command's


class Way(Protocol):
    """A way to one server."""

    @property
    def place(self) -> str:
        """Where the server is, for people."""
        ...

    def prepare(self, deadline: Deadline) -> Invocation:
        """Return how a server is started. Raises ``git.fast.trouble.Unfit`` and ``Lost``."""
        ...

    def was_reached(self, status: int | None) -> bool:
        """Tell whether an exit status is that of the command, not of what leads to it."""
        ...

    def close(self) -> None:
        """Say that this way is not needed any more."""
        ...


@dataclass(frozen=True, slots=True)
class PipeWay:
    """A server on this machine: the words ``argv``, run with ``env``."""

    argv: Sequence[str]
    env: Mapping[str, str]
    directory: Path = Path("/")
    place: str = "this machine"

    def prepare(self, deadline: Deadline) -> Invocation:
        return Invocation(self.argv, self.env, self.directory)

    def was_reached(self, status: int | None) -> bool:
        return True

    def close(self) -> None:
        pass


class SshConnections:
    """The ssh connections of one process: one for each place, shared by all ways that lead there.

    ``env``: the environment of the user's ssh, which names it as it does for git (git(1),
    ``GIT_SSH_COMMAND``).
    """

    def __init__(self, env: Mapping[str, str], *, directory: Path = Path("/")) -> None:
        self._git = Git(directory, clean_environment(env))
        self._lock = threading.Lock()
        self._shared: dict[tuple[str, int | None], _Shared] = {}

    def way(self, address: SshAddress, command: str) -> SshWay:
        """Return the way to ``command``, as the shell at ``address`` understands it.

        Connects nowhere yet. Raises Refused where the user's ssh is no OpenSSH.
        """
        with self._lock:
            key = (address.destination, address.port)
            shared = self._shared.get(key) or _Shared(self._starter(address))
            self._shared[key] = shared
            shared.users += 1
        return SshWay(shared.starter, address, command, self._git, lambda: self._leave(key))

    def _starter(self, address: SshAddress) -> SshStarter:
        words = ssh_words(self._git.env, Configuration.read(self._git))
        if words is None:
            raise Refused(
                "inboxes on other hosts need OpenSSH without multiplexing options of its own",
                code="no_openssh",
                next="unset GIT_SSH_COMMAND, or make it a plain ssh",
            )
        return SshStarter(self._git, words, address)

    def _leave(self, key: tuple[str, int | None]) -> None:
        with self._lock:
            shared = self._shared[key]
            shared.users -= 1
            if shared.users:
                return
            del self._shared[key]
        shared.starter.close()


class SshWay:
    """The way to a server on another host, on a connection that others may share."""

    def __init__(
        self,
        starter: SshStarter,
        address: SshAddress,
        command: str,
        git: Git,
        leave: Callable[[], None],
    ) -> None:
        self._starter, self._address, self._command = starter, address, command
        self._env, self._directory = git.env, git.directory
        self._leave: Callable[[], None] | None = leave

    @property
    def place(self) -> str:
        return self._address.destination

    def prepare(self, deadline: Deadline) -> Invocation:
        # What lets a plain git command share the connection lets ours do so too.
        ssh = shlex.split(self._starter.environment(deadline)["GIT_SSH_COMMAND"])
        port = [] if self._address.port is None else ["-p", str(self._address.port)]
        words = [*ssh, "-T", *port, self._address.destination, self._command]
        return Invocation(words, self._env, self._directory)

    def was_reached(self, status: int | None) -> bool:
        return status != _SSH_FAILED

    def close(self) -> None:
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()


@dataclass(slots=True)
class _Shared:
    starter: SshStarter
    users: int = 0
