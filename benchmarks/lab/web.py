"""Smart HTTPS with a password: nginx and fcgiwrap where installed, else a small Python server."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.lab.daemons import CannotServe, daemon, wait_for_file, wait_for_port
from tests.needs import http_backend, missing

PORT = 443
USER, PASSWORD = "agent", "s3cret"
_SYSTEM = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"


@contextmanager
def web_server(
    place: Path,
    root: Path,
    host: str,
    *,
    side: Sequence[str],
    seen_from: Sequence[str],
    env: Mapping[str, str],
) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve the repositories under ``root`` until the block ends.

    Yields what serves, and what a client needs in its environment. Raises CannotServe.
    """
    reason = missing("http-backend")
    if reason is not None or shutil.which("openssl") is None:
        raise CannotServe(reason or "openssl is not installed")
    place.mkdir(mode=0o755)
    _make_certificate(place, host)
    log = place / "log"
    nginx, wrapper = (shutil.which(name, path=_SYSTEM) for name in ("nginx", "fcgiwrap"))
    with ExitStack() as running:
        if nginx is not None and wrapper is not None:
            name = "nginx and fcgiwrap"
            gate = place / "fcgi.sock"
            words = [wrapper, "-f", "-c", "4", "-s", f"unix:{gate}"]
            running.enter_context(daemon([*side, *words], log=log, env=env))
            wait_for_file(gate, log=log)
            (place / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
            (place / "nginx.conf").write_text(_configuration(place, root, host, env))
            words = [nginx, "-p", str(place), "-c", str(place / "nginx.conf")]
        else:
            name = "a Python server before git http-backend"
            words = [sys.executable, "-m", "benchmarks.lab.pyweb", str(place), str(root), host]
        running.enter_context(daemon([*side, *words], log=log, env=env))
        wait_for_port(seen_from, host, PORT, log=log)
        store = place / "credentials"
        store.write_text(f"https://{USER}:{PASSWORD}@{host}\n")
        yield name, _client(place, store)


def address(host: str, root: Path, repository: Path) -> str:
    """Return the URL of a repository there."""
    return f"https://{USER}@{host}/{repository.relative_to(root)}"


def _client(place: Path, store: Path) -> dict[str, str]:
    """Return an environment that trusts the server, and has its password as git keeps one."""
    return {
        "GIT_SSL_CAINFO": str(place / "cert.pem"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "credential.helper",
        "GIT_CONFIG_VALUE_0": f"store --file={store}",
    }


def _make_certificate(place: Path, host: str) -> None:
    words = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-days", "2"]
    words += ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", f"/CN={host}"]
    words += ["-addext", f"subjectAltName=IP:{host}"]
    words += ["-keyout", str(place / "key.pem"), "-out", str(place / "cert.pem")]
    subprocess.run(words, check=True, capture_output=True)


def _configuration(place: Path, root: Path, host: str, env: Mapping[str, str]) -> str:
    passed = {
        "SCRIPT_FILENAME": str(http_backend()),
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "HOME": env["HOME"],
        "GIT_CONFIG_GLOBAL": env["GIT_CONFIG_GLOBAL"],
        "PATH_INFO": "$uri",
        "QUERY_STRING": "$query_string",
        "REQUEST_METHOD": "$request_method",
        "CONTENT_TYPE": "$content_type",
        "CONTENT_LENGTH": "$content_length",
        "HTTP_CONTENT_ENCODING": "$http_content_encoding",
        "HTTP_GIT_PROTOCOL": "$http_git_protocol",
        "REMOTE_USER": "$remote_user",
        "REMOTE_ADDR": "$remote_addr",
    }
    lines = "\n".join(f'      fastcgi_param {name} "{text}";' for name, text in passed.items())
    scratch = "\n".join(
        f"  {kind}_temp_path {place / kind};"
        for kind in ("client_body", "fastcgi", "proxy", "scgi", "uwsgi")
    )
    return f"""\
daemon off;
user root;
pid {place / "nginx.pid"};
error_log {place / "log"};
events {{}}
http {{
  access_log off;
{scratch}
  server {{
    listen {host}:{PORT} ssl;
    ssl_certificate {place / "cert.pem"};
    ssl_certificate_key {place / "key.pem"};
    keepalive_timeout 600;
    keepalive_requests 100000;
    client_max_body_size 0;
    auth_basic "git";
    auth_basic_user_file {place / "users"};
    location / {{
      fastcgi_pass unix:{place / "fcgi.sock"};
{lines}
    }}
  }}
}}
"""
