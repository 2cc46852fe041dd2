"""Machines as network namespaces, each with a host name, joined by a bridge on the hub."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.hermetic import MARK as RUN
from tests.integration.machines.guardian import Guardian, inside, remove
from tests.integration.machines.machine import HUB, Door, Machine, furnish, lab_word, write_doors
from tests.servers.sshdaemon import make_keys, start_sshd

_PREFIX = "gitbaton-test-"
_PORT = 22
_NAMING = 'echo "$0" > /proc/sys/kernel/hostname && exec "$@"'
# So that the sessions of a machine that was cut off end, as they do on servers that live long.
_ATTENTIVE = ("ClientAliveInterval 2", "ClientAliveCountMax 3")


@dataclass(frozen=True)
class Namespaces:
    """Machines, each in a namespace; on the hub each cable has the name of its machine."""

    machines: Mapping[str, Machine]

    def cut(self, name: str) -> None:
        _ip("-n", _namespace(HUB), "link", "set", _cable(name), "down")

    def mend(self, name: str) -> None:
        _ip("-n", _namespace(HUB), "link", "set", _cable(name), "up")

    def processes(self, name: str) -> Sequence[psutil.Process]:
        return inside(_namespace(name))


@contextmanager
def joined(root: Path, names: Sequence[str]) -> Iterator[Namespaces]:
    """Make the machines, and leave nothing of them behind.

    What an earlier run left that was killed together with its guardian is removed first.
    """
    _sweep()
    root.mkdir(exist_ok=True)
    guardian = Guardian()
    with ExitStack() as stack:
        stack.callback(guardian.close)
        machines = {name: _machine(root, name, guardian) for name in (HUB, *names)}
        doors = {name: Door(f"10.77.0.{at}", _PORT) for at, name in enumerate(machines, start=1)}
        _lay_cables(doors)
        keys = root / "keys"
        keys.mkdir(mode=0o700)
        make_keys(keys)
        for name, machine in machines.items():
            write_doors(machine, doors, keys)
            _open_door(machine, doors[name], keys, stack)
        stack.callback(guardian.close)
        yield Namespaces(machines)


def _machine(root: Path, name: str, guardian: Guardian) -> Machine:
    namespace = _namespace(name)
    guardian.watch("namespace", namespace)
    _ip("netns", "add", namespace)
    enter = ("ip", "netns", "exec", namespace, "unshare", "--uts", "sh", "-c", _NAMING, name)
    return furnish(root, name, lab_word(root), enter)


def _lay_cables(doors: Mapping[str, Door]) -> None:
    hub = ("-n", _namespace(HUB))
    _ip(*hub, "link", "add", "bridge", "type", "bridge")
    for name, door in doors.items():
        there = ("-n", _namespace(name))
        at = "bridge"
        if name != HUB:
            at = "cable"
            other = ("peer", "name", at, "netns", _namespace(name))
            _ip(*hub, "link", "add", _cable(name), "type", "veth", *other)
            _ip(*hub, "link", "set", _cable(name), "master", "bridge", "up")
        _ip(*there, "address", "add", f"{door.address}/24", "dev", at)
        _ip(*there, "link", "set", "lo", "up")
        _ip(*there, "link", "set", at, "up")


def _open_door(machine: Machine, door: Door, keys: Path, stack: ExitStack) -> None:
    place = machine.home / "sshd"
    place.mkdir(mode=0o700)
    env = {name: value for name, value in machine.env.items() if name != RUN}
    process = start_sshd(
        *(place, keys, door.address, door.port),
        known=machine.session,
        env=env,
        enter=machine.enter,
        more=_ATTENTIVE,
    )
    assert process is not None, (place / "log").read_text(errors="replace")
    stack.callback(process.wait)


def _sweep() -> None:
    """Remove the namespaces of runs whose process is gone."""
    for name in os.listdir("/run/netns") if os.path.isdir("/run/netns") else []:
        owner = name.removeprefix(_PREFIX).partition("-")[0]
        if name.startswith(_PREFIX) and not os.path.exists(f"/proc/{owner}"):
            remove(name)


def _namespace(name: str) -> str:
    return f"{_PREFIX}{os.getpid()}-{name}"


def _cable(name: str) -> str:
    return f"to-{name}"


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"`ip {' '.join(words)}`: {done.stderr.strip()}"
