"""Smart HTTPS in Python, for machines without nginx: ``pyweb PLACE ROOT HOST``.

``PLACE`` has the certificate. It is the tests' server, with TLS, at an address of our choice.
"""

from __future__ import annotations

import ssl
import sys
from pathlib import Path

from benchmarks.lab.web import PASSWORD, PORT, USER
from tests.servers.httpd import HttpGitServer


class SecureServer(HttpGitServer):
    """The tests' server at ``host`` and the port of https."""

    def __init__(self, place: Path, root: Path, host: str) -> None:
        self._host = host
        super().__init__(root, {USER: PASSWORD})
        # Or the last packet of an answer waits for the client's delayed acknowledgement.
        self.RequestHandlerClass.disable_nagle_algorithm = True  # type: ignore[attr-defined]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(place / "cert.pem", place / "key.pem")
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )

    def server_bind(self) -> None:
        """Listen where we were told, not where tests do."""
        self.server_address = (self._host, PORT)
        super().server_bind()


if __name__ == "__main__":
    with SecureServer(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]) as server:
        server.serve_forever()
