"""A redis-server that keeps nothing, and the few lines it takes to speak to one.

``python -m benchmarks.lab.redis HOST PORT WORD…`` sends one command and prints the answer.
Source: the Redis serialization protocol specification (RESP2).
"""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from benchmarks.lab.daemons import CannotServe, daemon, wait_for_port

Reply: TypeAlias = "bytes | int | list[Reply] | None"


class RedisError(Exception):
    """What the server said instead of an answer."""


class Redis:
    """One connection; one command at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), 30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._socket.makefile("rb")

    def __call__(self, *words: str) -> Reply:
        """Send a command and return its answer. Raises RedisError."""
        parts = [f"*{len(words)}\r\n".encode()]
        for word in words:
            data = word.encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
        self._socket.sendall(b"".join(parts))
        return self._read()

    def close(self) -> None:
        """Hang up."""
        self._answers.close()
        self._socket.close()

    def _read(self) -> Reply:
        line = self._answers.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-" or not line:
            raise RedisError(rest.decode() or "the server hung up")
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if int(rest) < 0:
            return None
        if kind == b"*":
            return [self._read() for _ in range(int(rest))]
        return self._answers.read(int(rest) + 2)[:-2]


@contextmanager
def redis_server(
    place: Path,
    host: str,
    port: int,
    *,
    side: Sequence[str],
    seen_from: Sequence[str],
    env: Mapping[str, str],
) -> Iterator[None]:
    """Serve until the block ends. Raises CannotServe."""
    binary = shutil.which("redis-server")
    if binary is None:
        raise CannotServe("redis-server is not installed")
    place.mkdir(parents=True)
    log = place / "log"
    words = [binary, "--bind", host, "--port", str(port), "--dir", str(place)]
    words += ["--save", "", "--appendonly", "no", "--protected-mode", "no"]
    with daemon([*side, *words], log=log, env=env):
        wait_for_port(seen_from, host, port, log=log)
        yield


if __name__ == "__main__":
    print(Redis(sys.argv[1], int(sys.argv[2]))(*sys.argv[3:]))
