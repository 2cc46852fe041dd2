"""A TCP relay in front of a server, whose link can be cut or go silent at a chosen moment."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.servers.ports import LOCALHOST

_BLOCK = 65536


class Relay:
    """Forwards connections to ``target`` on this machine; the client's end is ``port``."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server((LOCALHOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._silent = False
        self._down = False
        threading.Thread(target=self._accept, daemon=True, name="relay").start()

    def cut(self) -> None:
        """Break all connections, and every later one as soon as it is made."""
        self._down = True
        self.snap()

    def snap(self) -> None:
        """Break all connections; later ones hold."""
        with self._lock:
            self._break_all()

    def silence(self) -> None:
        """Forward nothing from now on, and close nothing: a cable pulled out."""
        self._silent = True

    def restore(self) -> None:
        """Forward again; what was open in the silence breaks, since it has lost something."""
        with self._lock:  # whatever is added from now on is forwarded
            self._break_all()
            self._silent = False

    def close(self) -> None:
        """Break all connections and listen no more."""
        _shut(self._listener)
        self.cut()

    def _break_all(self) -> None:
        for end in self._open:
            _shut(end)
        self._open.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._down:
                    client.close()
                    continue
                server = socket.create_connection((LOCALHOST, self._target))
                with self._lock:
                    self._open |= {client, server}
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(
                        target=self._forward, args=(source, sink), daemon=True, name="relay"
                    ).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while block := source.recv(_BLOCK):
                if not self._silent:
                    sink.sendall(block)
            if not self._silent:
                sink.shutdown(socket.SHUT_WR)


@contextmanager
def relay(target: int) -> Iterator[Relay]:
    """Relay to the server on port ``target`` until the block ends."""
    running = Relay(target)
    try:
        yield running
    finally:
        running.close()


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
