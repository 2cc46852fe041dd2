"""A real sshd with a configuration and keys of its own, in the server's namespace."""

from __future__ import annotations

import getpass
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.lab.daemons import CannotServe, daemon, wait_for_port
from tests.needs import missing, sshd_binary

PORT = 22


@contextmanager
def ssh_server(
    place: Path, host: str, *, side: Sequence[str], seen_from: Sequence[str], env: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    """Serve until the block ends; yields what a client needs in its environment.

    Raises CannotServe.
    """
    reason, binary = missing("sshd"), sshd_binary()
    if reason is not None or binary is None:
        raise CannotServe(reason or "sshd is not installed")
    place.mkdir(mode=0o700)
    Path("/run/sshd").mkdir(mode=0o755, parents=True, exist_ok=True)  # privilege separation
    _make_keys(place)
    config, log = place / "sshd_config", place / "log"
    config.write_text(_configuration(place, host, env))
    with daemon([*side, binary, "-D", "-e", "-f", str(config)], log=log, env=env):
        wait_for_port(seen_from, host, PORT, log=log)
        yield {"GIT_SSH_COMMAND": _client(place)}


def address(host: str, repository: Path) -> str:
    """Return the URL of a repository there."""
    return f"ssh://{getpass.getuser()}@{host}{repository}"


def _make_keys(place: Path) -> None:
    for name in ("host", "client"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / name)]
        subprocess.run(words, check=True)
    (place / "authorized_keys").write_text((place / "client.pub").read_text())
    (place / "known_hosts").write_text(f"* {(place / 'host.pub').read_text()}")


def _client(place: Path) -> str:
    options = {
        "UserKnownHostsFile": place / "known_hosts",
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "BatchMode": "yes",
    }
    words = ["ssh", "-F", "/dev/null", "-i", str(place / "client")]
    for name, value in options.items():
        words += ["-o", f"{name}={value}"]
    return shlex.join(words)


def _configuration(place: Path, host: str, env: Mapping[str, str]) -> str:
    known = " ".join(f"{name}={env[name]}" for name in ("HOME", "GIT_CONFIG_GLOBAL", "PATH"))
    return f"""\
ListenAddress {host}
Port {PORT}
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
SetEnv {known}
MaxSessions 50
MaxStartups 100
LogLevel ERROR
"""
