"""Servers as child processes: started, waited for, and ended whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PATIENCE = 10.0
_KNOCK = """\
import socket, sys, time
host, port, patience = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
until = time.monotonic() + patience
while True:
    try:
        socket.create_connection((host, port), 1).close()
        break
    except OSError as error:
        if time.monotonic() > until:
            sys.exit(f"{host}:{port} does not answer: {error}")
        time.sleep(0.02)
"""


class CannotServe(Exception):
    """A server is not installed or does not start; the text says why."""


@contextmanager
def daemon(words: Sequence[str], *, log: Path, env: Mapping[str, str]) -> Iterator[None]:
    """Run a server in the foreground, in a process group of its own, until the block ends.

    Where `setpriv` is installed it ends as well when we are killed.
    """
    leash = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*leash, *words],
            cwd=ROOT,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield
    finally:
        _end(process)


def wait_for_port(side: Sequence[str], host: str, port: int, *, log: Path) -> None:
    """Return when something listens there, as seen from ``side``. Raises CannotServe."""
    words = [*side, sys.executable, "-c", _KNOCK, host, str(port), str(_PATIENCE)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = log.read_text(errors="replace").strip() if log.exists() else ""
        raise CannotServe(f"{done.stderr.strip()} {said}".strip())


def wait_for_file(path: Path, *, log: Path) -> None:
    """Return when ``path`` (a server's socket) is there. Raises CannotServe."""
    until = time.monotonic() + _PATIENCE
    while not path.exists():
        if time.monotonic() > until:
            raise CannotServe(f"{path} is not made: {log.read_text(errors='replace').strip()}")
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
            return
