"""Runs commands on another machine by the user's own ssh, over one connection."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from gitbaton.core.errors import InvalidInput
from gitbaton.git.answers import printable
from gitbaton.git.fast.address import SshAddress
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.trouble import Lost, Unfit
from gitbaton.git.runner import end_group
from gitbaton.plans.registry.record import Address, check_address, host_name
from gitbaton.store.ssh.ways import SshConnections

PATIENCE: Final = 60.0  # seconds for one command, with the connection
_MOST: Final = 1_000_000  # characters of an answer


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended. ``status`` None: it was not reached, or gave no answer in time."""

    status: int | None
    out: str
    err: str


def parse_host(text: str, *, path: str, program: str) -> Address:
    """Return the address that ``[USER@]HOST`` or ``ssh://[USER@]HOST[:PORT]`` and a path make.

    Raises InvalidInput.
    """
    host, port = text, None
    if text.startswith("ssh://"):
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise InvalidInput("HOST", f"{text!r:.80}: {error}") from error
        if parts.path.strip("/") or parts.query or parts.fragment or parts.password:
            raise InvalidInput("HOST", "write ssh://USER@HOST:PORT, and the place with --path")
        host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc
    address = Address(host=host_name(host, field="HOST"), port=port, path=path, program=program)
    check_address(address)
    return address


class Machine:
    """The machine at ``address``. Use as a context manager: the connection lasts as long.

    Raises Refused where the user's ssh is none that we can use.
    """

    def __init__(self, connections: SshConnections, address: Address) -> None:
        self.address = address
        user, _, host = address.host.rpartition("@")
        self._place = SshAddress(host, "", user or None, address.port)
        self._connections = connections
        self._kept = connections.way(self._place, "true")  # never run: it keeps the connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._kept.close()

    def run(self, *words: str, patience: float = PATIENCE) -> Said:
        """Run the command that these words are: each is one word to the shell there too (I8)."""
        way = self._connections.way(self._place, shlex.join(words))
        deadline = Deadline(patience)
        try:
            how = way.prepare(deadline)
            process = subprocess.Popen(
                list(how.argv),
                cwd=how.directory,
                env=dict(how.env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            with process:
                try:
                    out, err = process.communicate(timeout=deadline.left())
                except subprocess.TimeoutExpired:
                    return Said(None, "", f"no answer within {patience:g} seconds")
                finally:
                    if process.poll() is None:
                        end_group(process)
        except (Unfit, Lost) as trouble:
            return Said(None, "", trouble.reason)
        finally:
            way.close()
        reached = way.was_reached(process.returncode)
        return Said(
            process.returncode if reached else None,
            out.decode("utf-8", "replace")[:_MOST],
            printable(err.decode("utf-8", "replace"))[-1000:],
        )

    def baton(self, *words: str) -> Said:
        """Run ``baton *words`` in the clone there."""
        return self.run(self.address.program, "-C", self.address.path, *words)
