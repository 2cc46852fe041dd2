"""Connections to one web server, kept open between requests (RFC 9112, section 9)."""

from __future__ import annotations

import http.client
import os
import re
import selectors
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from gitbaton.git.fast.address import WebAddress
from gitbaton.git.fast.deadline import Deadline
from gitbaton.git.fast.trouble import Lost, TookTooLong, Unfit, Unsent
from gitbaton.git.fast.webconfig import WebSettings

_IDLE = 30.0  # seconds: routers forget idle connections without telling either end
_KEPT = 4
_CONNECTING = 20.0  # seconds


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the one server. ``path`` begins at its root."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)

    def having(self, name: str, value: str) -> Request:
        """Return this request with one header more."""
        return replace(self, headers={**self.headers, name: value})


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer.

    ``kind``: its content type, with the encoding if there is one, which nobody asked for;
    ``challenge``: ``WWW-Authenticate``.
    """

    status: int
    kind: str
    challenge: str
    body: bytes = field(repr=False)


@dataclass(slots=True)
class _Kept:
    connection: http.client.HTTPConnection
    until: float = 0.0  # on the monotonic clock


class Connections:
    """Makes, keeps and reuses connections to the server of one address. Thread-safe."""

    def __init__(
        self, address: WebAddress, settings: WebSettings, context: ssl.SSLContext | None
    ) -> None:
        self._address, self._proxy, self._context = address, settings.proxy, context
        self._lock = threading.Lock()
        self._idle: list[_Kept] = []
        self._owner = os.getpid()
        weakref.finalize(self, _close_all, self._idle)

    def exchange(self, request: Request, deadline: Deadline) -> Answer:
        """Send ``request`` once and return the whole answer, of whatever status.

        Raises Unfit if no connection could be made, TookTooLong, Unsent if it broke before all of
        ``request`` had left, and Lost if it broke later.
        """
        kept = self._take() or _Kept(self._connect(deadline))
        connection = kept.connection
        over = threading.Event()
        trouble: type[Lost] = Unsent
        try:
            with _bounded(connection, deadline, over):
                headers, path = dict(request.headers), request.path
                if self._proxy is not None and self._context is None:
                    path = f"{self._address.scheme}://{self._address.authority}{path}"
                    if self._proxy.authorization is not None:
                        headers["Proxy-Authorization"] = self._proxy.authorization
                connection.request(request.method, path, request.body, headers)
                trouble = Lost
                response = connection.getresponse()
                body = response.read()
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            if over.is_set() or deadline.over():
                raise TookTooLong("the answer did not come in time", sent=True) from error
            raise trouble(f"the connection broke: {error}") from error
        except BaseException:
            connection.close()
            raise
        if response.status < 200:  # http.client waits for the final answer after a 100 alone
            connection.close()  # or it would be taken for the answer to the next request
            raise Lost(f"HTTP {response.status} in place of an answer", lasting=True)
        if response.will_close:
            connection.close()
        else:
            self._keep(kept, response.getheader("Keep-Alive", ""))
        kind = response.getheader("Content-Type", "").partition(";")[0].strip().lower()
        encoding = response.getheader("Content-Encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            kind = f"{kind} in {encoding}"
        challenge = ", ".join(response.headers.get_all("WWW-Authenticate", []))
        return Answer(response.status, kind, challenge, body)

    def close(self) -> None:
        """Close what nobody uses at the moment."""
        with self._lock:
            _close_all(self._idle)

    def _take(self) -> _Kept | None:
        """Return a kept connection that the server has not closed, as far as can be seen."""
        while True:
            with self._lock:
                if self._owner != os.getpid():  # after a fork they are the parent's
                    _close_all(self._idle)
                    self._owner = os.getpid()
                if not self._idle:
                    return None
                kept = self._idle.pop()
            sock = kept.connection.sock
            if sock is not None and time.monotonic() < kept.until and not _is_readable(sock):
                return kept
            kept.connection.close()

    def _keep(self, kept: _Kept, offer: str) -> None:
        match = re.search(r"timeout=(\d+)", offer)
        allowed = min(_IDLE, float(match[1]) - 1.0) if match else _IDLE
        kept.until = time.monotonic() + allowed
        with self._lock:
            if len(self._idle) < _KEPT:
                self._idle.append(kept)
                return
        kept.connection.close()

    def _connect(self, deadline: Deadline) -> http.client.HTTPConnection:
        connection = self._new(min(deadline.left(), _CONNECTING))
        try:
            connection.connect()
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            if deadline.over():
                raise TookTooLong("no connection was made in time", sent=False) from error
            # A certificate that is not believed will not be the next time either.
            raise Unfit(f"{error}", lasting=isinstance(error, ssl.SSLError)) from error
        return connection

    def _new(self, timeout: float) -> http.client.HTTPConnection:
        where = self._proxy or self._address
        if self._context is None:
            return http.client.HTTPConnection(where.host, where.port, timeout=timeout)
        connection = http.client.HTTPSConnection(
            where.host, where.port, timeout=timeout, context=self._context
        )
        if self._proxy is not None:
            secret = self._proxy.authorization
            headers = {"Proxy-Authorization": secret} if secret else {}
            connection.set_tunnel(self._address.host, self._address.port, headers)
        return connection


def _close_all(idle: list[_Kept]) -> None:
    while idle:
        idle.pop().connection.close()


@contextmanager
def _bounded(
    connection: http.client.HTTPConnection, deadline: Deadline, over: threading.Event
) -> Iterator[None]:
    """Break ``connection`` and set ``over`` when time is up, however slowly the server drips."""
    sock = connection.sock
    sock.settimeout(deadline.left())

    def stop() -> None:
        over.set()
        try:
            # The plain socket's own way: TLS is for the thread that reads, and it may be reading.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        except OSError:
            pass  # closed already

    timer = threading.Timer(deadline.left(), stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _is_readable(sock: socket.socket) -> bool:
    """Tell whether there is something to read where nothing is expected: mostly the end."""
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))
