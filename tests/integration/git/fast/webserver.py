"""Smart http that keeps a record: every connection, every request; with TLS if wanted."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.httpd import HttpGitServer, _Handler
from tests.servers.ports import LOCALHOST
from tests.servers.site import BareRepository, Site

Answer = Callable[[_Handler], bool]
"""Answers a request in place of git; False: does not."""


class WatchedServer(HttpGitServer):
    """Keeps count of connections, and notes method, last part of the path, and headers."""

    def __init__(
        self, root: Path, users: Mapping[str, str], context: ssl.SSLContext | None
    ) -> None:
        super().__init__(root, users)
        self.RequestHandlerClass = _WatchedHandler
        self.connections = 0
        self.open: list[socket.socket] = []
        self.requests: list[tuple[str, str, Mapping[str, str]]] = []
        self.instead: Answer = lambda handler: False
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def get_request(self) -> tuple[socket.socket, Any]:
        made = super().get_request()
        self.connections += 1
        self.open.append(made[0])
        return made

    def hang_up(self) -> None:
        """Close all connections from this side."""
        while self.open:
            end = self.open.pop()
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    @property
    def asked(self) -> list[str]:
        """The requests in short, as ``POST git-receive-pack``."""
        return [f"{method} {path.rpartition('/')[2]}" for method, path, _ in self.requests]


class _WatchedHandler(_Handler):
    server: WatchedServer

    def _answer(self) -> None:
        self.server.requests.append((self.command, self.path, dict(self.headers)))
        if not self.server.instead(self):
            super()._answer()


@dataclass
class WatchedSite:
    """A running server and the repositories that it serves."""

    server: WatchedServer
    site: Site
    env: Mapping[str, str] = field(default_factory=dict)

    def fresh(self) -> BareRepository:
        return self.site.fresh()


@contextmanager
def watched_site(
    root: Path, *, users: Mapping[str, str] | None = None, secure: bool = False
) -> Iterator[WatchedSite]:
    """Serve ``root`` until the block ends; ``secure``: by https, whose certificate is ``env``'s."""
    context, env = _secure(root) if secure else (None, {})
    server = WatchedServer(root, users or {}, context)
    thread = threading.Thread(target=server.serve_forever, daemon=True, name="watched-http")
    thread.start()
    scheme = "https" if secure else "http"

    def address(path: Path, port: int | None) -> str:
        return f"{scheme}://{LOCALHOST}:{port}/{path.relative_to(root)}"

    try:
        yield WatchedSite(server, Site("http", root, address, env, server.server_port), env)
    finally:
        server.shutdown()
        server.hang_up()
        server.server_close()
        thread.join()


def _secure(root: Path) -> tuple[ssl.SSLContext, Mapping[str, str]]:
    key, certificate = root / "key.pem", root / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2"),
            *("-subj", f"/CN={LOCALHOST}", "-addext", f"subjectAltName=IP:{LOCALHOST}"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, {"GIT_SSL_CAINFO": str(certificate)}


class Proxy:
    """An http proxy: CONNECT, and requests with a whole address; notes the first line of each."""

    def __init__(self) -> None:
        self._listener = socket.create_server((LOCALHOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self.heads: list[str] = []
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True, name="proxy").start()

    def close(self) -> None:
        """Break all connections and listen no more."""
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(65536)
        line = head.partition(b"\r\n")[0].decode()
        self.heads.append(head.decode("latin-1"))
        method, target, _ = line.split(" ")
        place = target.removeprefix("http://").partition("/")[0]
        host, _, port = place.partition(":")
        server = socket.create_connection((host, int(port)))
        self._ends += [client, server]
        if method == "CONNECT":
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            server.sendall(head)
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=_forward, args=(source, sink), daemon=True).start()


def _forward(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(65536):
            sink.sendall(block)
        sink.shutdown(socket.SHUT_WR)
