"""A real sshd on 127.0.0.1 with a configuration, host key and client key of its own.

Works as root in a container and as an ordinary user, who can then log in only as themselves.
"""

from __future__ import annotations

import getpass
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.guards import servers
from tests.hermetic import MARK
from tests.servers.ports import LOCALHOST, free_port
from tests.servers.site import Site
from tests.servers.sshdaemon import client_options, make_keys, start_sshd

_PORTS_TRIED = 5


@contextmanager
def ssh_site(root: Path) -> Iterator[Site]:
    """Serve the bare repositories under ``root`` over ssh until the block ends.

    Keys and logs are in ``root/sshd``. Raises RuntimeError when sshd does not start.
    """
    place = root / "sshd"
    place.mkdir(mode=0o700)
    make_keys(place)
    process, port = _start(place)
    servers.add(process.pid)
    user = getpass.getuser()
    try:
        yield Site(
            "ssh",
            root,
            lambda path, at: f"ssh://{user}@{LOCALHOST}:{at}{path}",
            {"GIT_SSH_COMMAND": _client(place)},
            port,
        )
    finally:
        process.terminate()
        process.wait()
        servers.discard(process.pid)


def _client(place: Path) -> str:
    words = ["ssh", "-F", "/dev/null"]
    for name, value in (client_options(place) | {"ConnectTimeout": "10"}).items():
        words += ["-o", f"{name}={value}"]
    return shlex.join(words)


_PASSED_ON = ("HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "PATH")


def _start(place: Path) -> tuple[subprocess.Popen[bytes], int]:
    known = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    env = {name: value for name, value in os.environ.items() if name != MARK}
    for _ in range(_PORTS_TRIED):
        port = free_port()
        process = start_sshd(place, place, LOCALHOST, port, known=known, env=env)
        if process is not None:
            return process, port
    raise RuntimeError(f"sshd does not start: {(place / 'log').read_text(errors='replace')}")
