"""One sshd with a configuration, host key and client key of its own, wherever it listens."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.needs import sshd_binary


def make_keys(place: Path) -> None:
    """Make a host's and a client's key in ``place``, and what the two know of each other."""
    for name in ("host", "client"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / name)], check=True
        )
    (place / "authorized_keys").write_text((place / "client.pub").read_text())
    (place / "authorized_keys").chmod(0o600)
    host = (place / "host.pub").read_text().split()[:2]
    # Any address and port: tests connect by way of relays too.
    (place / "known_hosts").write_text(f"* {' '.join(host)}\n")


def client_options(keys: Path) -> dict[str, str]:
    """Return what ssh needs to get in with the keys of ``make_keys`` and no others."""
    return {
        "IdentityFile": str(keys / "client"),
        "UserKnownHostsFile": str(keys / "known_hosts"),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "BatchMode": "yes",
    }


def start_sshd(
    place: Path,
    keys: Path,
    address: str,
    port: int,
    *,
    known: Mapping[str, str],
    env: Mapping[str, str],
    enter: Sequence[str] = (),
    more: Sequence[str] = (),
) -> subprocess.Popen[bytes] | None:
    """Start an sshd and return it once it listens; None when it cannot: ``place/log`` says why.

    ``known``: the environment of its sessions (sshd itself gives them a bare one, with the real
    home); ``enter``: words before its command; ``more``: lines of its configuration. Raises
    RuntimeError where no sshd is installed.
    """
    binary = sshd_binary()
    if binary is None:
        raise RuntimeError("there is no sshd on this machine")
    if os.geteuid() == 0:
        # Privilege separation insists on this directory.
        Path("/run/sshd").mkdir(mode=0o755, parents=True, exist_ok=True)
    config = place / "sshd_config"
    config.write_text("\n".join([_configuration(keys, address, port, known), *more, ""]))
    process = subprocess.Popen(
        [*enter, binary, "-D", "-e", "-f", str(config)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=dict(env),
        start_new_session=True,
    )
    if _listens(process, place / "log"):
        return process
    process.wait()
    return None


def _configuration(keys: Path, address: str, port: int, known: Mapping[str, str]) -> str:
    setenv = " ".join(f"{name}={value}" for name, value in known.items())
    return f"""\
ListenAddress {address}
Port {port}
HostKey {keys / "host"}
PidFile none
AuthorizedKeysFile {keys / "authorized_keys"}
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
LogLevel INFO"""


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
