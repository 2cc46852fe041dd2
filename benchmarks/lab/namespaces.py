"""Two network namespaces, a client's and a server's, joined by a cable whose length can be set."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

CLIENT = "10.77.0.1"
SERVER = "10.77.0.2"
_PREFIX = "gitbaton-bench-"
_SIDES = {"c": (CLIENT, "02:00:00:00:77:01"), "s": (SERVER, "02:00:00:00:77:02")}
_PATIENCE = 10.0


class CannotJoin(Exception):
    """Namespaces are not to be had here; the text says why."""


@dataclass(frozen=True)
class Joined:
    """The pair: the words that run a command on either side, and the cable between."""

    client: tuple[str, ...]
    server: tuple[str, ...]
    _cable: subprocess.Popen[str]

    def set_round_trip(self, seconds: float) -> None:
        """Let the cable add this much to every round trip."""
        assert self._cable.stdin is not None
        self._cable.stdin.write(f"{seconds / 2}\n")
        self._cable.stdin.flush()


@contextmanager
def joined_namespaces() -> Iterator[Joined]:
    """Make the pair, and leave nothing of it behind. Raises CannotJoin.

    What an earlier run left that was killed is removed first.
    """
    _check()
    _sweep()
    names = {side: f"{_PREFIX}{os.getpid()}-{side}" for side in _SIDES}
    taps = {side: f"gb{side}{os.getpid()}" for side in _SIDES}
    cable: subprocess.Popen[str] | None = None
    try:
        for name in names.values():
            _ip("netns", "add", name)
        cable = _lay_cable(*taps.values())
        for side, (address, hardware) in _SIDES.items():
            _ip("link", "set", taps[side], "netns", names[side])
            inside = ("-n", names[side])
            _ip(*inside, "link", "set", taps[side], "name", "cable", "address", hardware)
            _ip(*inside, "address", "add", f"{address}/24", "dev", "cable")
            _ip(*inside, "link", "set", "lo", "up")
            _ip(*inside, "link", "set", "cable", "up")
        for side, other in (("c", "s"), ("s", "c")):
            # Known for good: no lookup adds a round trip now and then.
            at, hardware = _SIDES[other]
            words = ("neighbour", "add", at, "lladdr", hardware, "dev", "cable")
            _ip("-n", names[side], *words, "nud", "permanent")
        netns = ("ip", "netns", "exec")
        yield Joined((*netns, names["c"]), (*netns, names["s"]), cable)
    finally:
        for name in names.values():
            _remove(name)
        if cable is not None:
            _end(cable)


def _check() -> None:
    """Raise CannotJoin when something that is needed is missing."""
    if not sys.platform.startswith("linux"):
        raise CannotJoin("network namespaces are a thing of Linux")
    if shutil.which("ip") is None:
        raise CannotJoin("`ip` is not installed (iproute2)")
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        raise CannotJoin("/dev/net/tun is not there, or not ours to use (root is needed)")


def _lay_cable(left: str, right: str) -> subprocess.Popen[str]:
    cable = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.lab.relay", left, right],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert cable.stdout is not None
    if cable.stdout.readline().strip() != "ready":
        _, said = cable.communicate()
        raise CannotJoin(f"no TAP device can be made: {said.strip().rpartition(chr(10))[2]}")
    return cable


def _end(cable: subprocess.Popen[str]) -> None:
    with suppress(BrokenPipeError):
        cable.communicate(timeout=_PATIENCE)


def _sweep() -> None:
    """Remove the namespaces of runs whose process is gone."""
    for name in os.listdir("/run/netns") if os.path.isdir("/run/netns") else []:
        owner = name.removeprefix(_PREFIX).partition("-")[0]
        if name.startswith(_PREFIX) and not os.path.exists(f"/proc/{owner}"):
            _remove(name)


def _remove(name: str) -> None:
    """End what still runs in the namespace, and delete it. It may never have been made."""
    inside = subprocess.run(
        ["ip", "netns", "pids", name], capture_output=True, text=True, check=False
    )
    for process in inside.stdout.split():
        with suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)
    subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotJoin(f"`ip {' '.join(words)}`: {done.stderr.strip()}")
