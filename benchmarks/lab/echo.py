"""Sends back what it gets: the far end of the ruler by which round trips are measured.

``python -m benchmarks.lab.echo HOST PORT`` serves one connection after the other.
"""

from __future__ import annotations

import socket
import sys
import time
from contextlib import suppress

PORT = 7


def serve(host: str, port: int) -> None:
    """Answer until killed."""
    with socket.create_server((host, port)) as listener:
        while True:
            connection, _ = listener.accept()
            with connection, suppress(ConnectionError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while block := connection.recv(64):
                    connection.sendall(block)


class Ruler:
    """A connection to the echo, and how long one byte takes there and back."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = socket.create_connection((host, port), 10)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def measure(self) -> float:
        """Return the seconds of one round trip."""
        began = time.perf_counter()
        self._connection.sendall(b".")
        self._connection.recv(1)
        return time.perf_counter() - began

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
