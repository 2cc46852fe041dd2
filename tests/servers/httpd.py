"""Smart HTTP: ``git http-backend`` behind a small threaded web server of the standard library.

It speaks HTTP/1.1 with kept-alive connections, chunked bodies both ways, gzip (which the backend
unpacks), basic authentication, and can be told to fail. RFC 3875 (CGI), gitprotocol-http(5).
"""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Literal
from urllib.parse import unquote, urlsplit

from tests.needs import http_backend
from tests.servers.ports import LOCALHOST
from tests.servers.site import Site

Fault = Literal["busy", "drop-request", "drop-answer", "bad-gateway", "forbid"]
"""``busy``: 503. ``forbid``: 403. ``drop-request``: hang up, having read the request and done
nothing. ``drop-answer``: do what was asked, then hang up without a word. ``bad-gateway``: do what
was asked, then say 502, as a proxy does that has lost the server behind it."""

_BLOCK = 65536


@contextmanager
def http_site(root: Path, *, users: Mapping[str, str] | None = None) -> Iterator[Site]:
    """Serve the bare repositories under ``root`` until the block ends.

    ``users``: name -> password; the first one's stand in the addresses given out. Without them
    everybody may do everything.
    """
    server = HttpGitServer(root, users or {})
    thread = threading.Thread(target=server.serve_forever, daemon=True, name="http-git")
    thread.start()
    who = next((f"{name}:{word}@" for name, word in (users or {}).items()), "")
    try:
        yield Site(
            "http",
            root,
            lambda path, at: f"http://{who}{LOCALHOST}:{at}/{path.relative_to(root)}",
            port=server.server_port,
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def failing(url_part: str, fault: Fault, *, times: int = 1000) -> Iterator[list[str]]:
    """Let requests whose path and query contain ``url_part`` fail until the block ends.

    Only the first ``times`` do. Yields the list of those. Holds for all servers of this process.
    """
    struck: list[str] = []
    entry = (url_part, fault, times, struck)
    _faults.append(entry)
    try:
        yield struck
    finally:
        _faults.remove(entry)


_faults: list[tuple[str, Fault, int, list[str]]] = []


class HttpGitServer(ThreadingHTTPServer):
    """The web server on a free port of 127.0.0.1."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, root: Path, users: Mapping[str, str]) -> None:
        super().__init__((LOCALHOST, 0), _Handler)
        self.root = root
        self.backend = http_backend()
        self.credentials = {
            "Basic " + base64.b64encode(f"{name}:{word}".encode()).decode(): name
            for name, word in users.items()
        }

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = _BLOCK  # one packet an answer, not one a header
    # Or the last packet of an answer waits for the client's delayed acknowledgement: 40 ms.
    disable_nagle_algorithm = True
    server: HttpGitServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        user = self.server.credentials.get(self.headers.get("Authorization", ""))
        fault = self._fault()
        if fault in ("busy", "forbid", "drop-request"):
            self._read_all()
        if fault == "busy":
            self._refuse(503)
        elif fault == "forbid":
            self._refuse(403)
        elif fault == "drop-request":
            self.close_connection = True
        elif self.server.credentials and user is None:
            self._read_all()
            self._refuse(401)
        else:
            self._run_backend(user, silent=fault is not None)
            if fault == "bad-gateway":
                self._refuse(502)
            elif fault == "drop-answer":
                self.close_connection = True

    def _fault(self) -> Fault | None:
        for part, fault, times, struck in _faults:
            if part in self.path and len(struck) < times:
                struck.append(self.path)
                return fault
        return None

    def _refuse(self, status: int) -> None:
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _run_backend(self, user: str | None, *, silent: bool) -> None:
        process = subprocess.Popen(
            [str(self.server.backend)],
            env=self._cgi_environment(user),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        feeder = threading.Thread(target=self._feed, args=(process.stdin,), daemon=True)
        feeder.start()
        with process.stdout:
            try:
                if not silent:
                    self._relay(process.stdout)
            finally:
                # As real servers do: the backend goes on when the client has hung up.
                while process.stdout.read(_BLOCK):
                    pass
                feeder.join()
                process.wait()

    def _cgi_environment(self, user: str | None) -> dict[str, str]:
        parts = urlsplit(self.path)
        env = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": unquote(parts.path),
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": self.command,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
        }
        if user is not None:
            env["REMOTE_USER"] = user
        for header, name in (
            ("Content-Length", "CONTENT_LENGTH"),
            ("Content-Encoding", "HTTP_CONTENT_ENCODING"),
            ("Git-Protocol", "GIT_PROTOCOL"),
        ):
            if header in self.headers:
                env[name] = self.headers[header]
        return env

    def _feed(self, target: IO[bytes]) -> None:
        """Give the request's body to the backend, which may stop listening at any time."""
        with suppress(BrokenPipeError, ConnectionError), target:
            for block in self._body():
                with suppress(BrokenPipeError):
                    target.write(block)

    def _read_all(self) -> None:
        for _ in self._body():
            pass

    def _body(self) -> Iterator[bytes]:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return
        left = int(self.headers.get("Content-Length", "0"))
        while left > 0 and (block := self.rfile.read(min(left, _BLOCK))):
            left -= len(block)
            yield block

    def _relay(self, source: IO[bytes]) -> None:
        """Turn the backend's CGI answer into HTTP, chunked: its length is not known before."""
        status, headers = 200, []
        while line := source.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.append((name, value.strip()))
        first = source.read1(_BLOCK) if hasattr(source, "read1") else source.read(_BLOCK)
        if not headers and not first:
            # The backend died without a word: hang up as well.
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        block = first
        while block:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
            self.wfile.flush()
            block = source.read1(_BLOCK) if hasattr(source, "read1") else source.read(_BLOCK)
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()
