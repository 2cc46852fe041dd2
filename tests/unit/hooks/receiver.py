"""A webhook's other end: a real HTTP server that answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[[BaseHTTPRequestHandler], None]


class Receiver:
    """What was posted, in order, and the replies that are still to be given (then: 200)."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook/s3cret?token=x"
        self.posts: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.replies: list[Reply] = []
        self.release = threading.Event()

    def status(self, *codes: int) -> None:
        """Answer the next posts with these."""
        self.replies += [_status(code) for code in codes]

    def redirect(self, to: str) -> None:
        """Answer the next post with a redirect."""

        def reply(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(307)
            handler.send_header("Location", to)
            handler.end_headers()

        self.replies.append(reply)

    def hang(self) -> None:
        """Do not answer the next post until ``release`` is set."""
        self.replies.append(lambda handler: _ignore(self.release.wait(30)))

    def drip(self) -> None:
        """Answer the next post byte by byte, for ever, each in good time."""

        def reply(handler: BaseHTTPRequestHandler) -> None:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            try:
                while not self.release.wait(0.02):
                    handler.wfile.write(b"x")
            except OSError:
                return

        self.replies.append(reply)


def _ignore(_: object) -> None:
    return None


def _status(code: int) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return reply


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver on a free port of this machine until the block ends."""
    receiver: Receiver

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.posts.append(json.loads(body))
            receiver.headers.append(dict(self.headers.items()))
            receiver.paths.append(self.path)
            reply = receiver.replies.pop(0) if receiver.replies else _status(200)
            reply(self)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
