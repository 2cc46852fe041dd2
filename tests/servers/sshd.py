"""A real sshd on 127.0.0.1 with a configuration, host key and client key of its own.

Works as root in a container and as an ordinary user, who can then log in only as themselves.
"""

from __future__ import annotations

import getpass
import os
import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.guards import servers
from tests.hermetic import MARK
from tests.needs import sshd_binary
from tests.servers.ports import LOCALHOST, free_port
from tests.servers.site import Site

_PORTS_TRIED = 5


@contextmanager
def ssh_site(root: Path) -> Iterator[Site]:
    """Serve the bare repositories under ``root`` over ssh until the block ends.

    Keys and logs are in ``root/sshd``. Raises RuntimeError when sshd does not start.
    """
    place = root / "sshd"
    place.mkdir(mode=0o700)
    _make_keys(place)
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


def _make_keys(place: Path) -> None:
    for name in ("host", "client"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / name)], check=True
        )
    (place / "authorized_keys").write_text((place / "client.pub").read_text())
    (place / "authorized_keys").chmod(0o600)
    host = (place / "host.pub").read_text().split()[:2]
    # Any port: tests connect by way of relays too.
    (place / "known_hosts").write_text(f"* {' '.join(host)}\n")


def _client(place: Path) -> str:
    options = {
        "UserKnownHostsFile": place / "known_hosts",
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "BatchMode": "yes",
        "ConnectTimeout": 10,
    }
    words = ["ssh", "-F", "/dev/null", "-i", str(place / "client")]
    for name, value in options.items():
        words += ["-o", f"{name}={value}"]
    return shlex.join(words)


def _configuration(place: Path, port: int) -> str:
    # What the git behind sshd may know: sshd gives its children a bare environment, and HOME
    # would be the real one.
    known = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    setenv = " ".join(f"{name}={value}" for name, value in known.items())
    return f"""\
ListenAddress {LOCALHOST}
Port {port}
HostKey {place / "host"}
PidFile none
AuthorizedKeysFile {place / "authorized_keys"}
AuthenticationMethods publickey
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
UseDNS no
PrintMotd no
PrintLastLog no
AcceptEnv GIT_PROTOCOL
SetEnv {setenv or "LC_ALL=C"}
MaxSessions 100
MaxStartups 200
LogLevel INFO
"""


_PASSED_ON = ("HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "PATH")


def _start(place: Path) -> tuple[subprocess.Popen[bytes], int]:
    binary = sshd_binary()
    if binary is None:
        raise RuntimeError("there is no sshd on this machine")
    if os.geteuid() == 0:
        # Privilege separation insists on this directory.
        Path("/run/sshd").mkdir(mode=0o755, parents=True, exist_ok=True)
    said = b""
    for _ in range(_PORTS_TRIED):
        port = free_port()
        config = place / "sshd_config"
        config.write_text(_configuration(place, port))
        process = subprocess.Popen(
            [binary, "-D", "-e", "-f", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if name != MARK},
            start_new_session=True,
        )
        if _listens(process, place / "log"):
            return process, port
        process.wait()
        said = (place / "log").read_bytes()
    raise RuntimeError(f"sshd does not start: {said.decode(errors='replace')}")


def _listens(process: subprocess.Popen[bytes], log: Path) -> bool:
    """Read sshd's log until it is ready (True) or has given up (False); keep reading behind."""
    assert process.stderr is not None
    stream = process.stderr
    with log.open("wb") as file:
        for line in stream:
            file.write(line)
            if b"Server listening on" in line:
                break
        else:
            return False

    def drain() -> None:
        with log.open("ab", buffering=0) as file, stream, suppress(ValueError):
            for line in stream:
                file.write(line)

    threading.Thread(target=drain, daemon=True, name="sshd-log").start()
    return True
