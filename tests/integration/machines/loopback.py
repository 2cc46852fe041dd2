"""Machines as homes on this one, each with an sshd on a port of its own; the cables are relays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.hermetic import MARK as RUN
from tests.integration.machines.guardian import Guardian, marked
from tests.integration.machines.machine import (
    HUB,
    MARK,
    Door,
    Machine,
    furnish,
    lab_word,
    write_doors,
)
from tests.servers.ports import LOCALHOST, free_port
from tests.servers.relay import Relay, relay
from tests.servers.sshdaemon import make_keys, start_sshd

_PORTS_TRIED = 5


@dataclass(frozen=True)
class Loopback:
    """Machines, and the ways between them by (source, target): they have no others."""

    machines: Mapping[str, Machine]
    ways: Mapping[tuple[str, str], Relay]

    def cut(self, name: str) -> None:
        for way in self._of(name):
            way.silence()

    def mend(self, name: str) -> None:
        for way in self._of(name):
            way.restore()

    def processes(self, name: str) -> Sequence[psutil.Process]:
        return list(marked(self.machines[name].env[MARK]))

    def _of(self, name: str) -> list[Relay]:
        return [way for ends, way in self.ways.items() if name in ends]


@contextmanager
def joined(root: Path, names: Sequence[str]) -> Iterator[Loopback]:
    """Make the machines, and leave nothing of them behind."""
    word = lab_word(root)
    root.mkdir(exist_ok=True)
    guardian = Guardian()
    guardian.watch("mark", word)
    keys = root / "keys"
    keys.mkdir(mode=0o700)
    make_keys(keys)
    with ExitStack() as stack:
        stack.callback(guardian.close)
        machines = {name: furnish(root, name, word) for name in (HUB, *names)}
        ports = {name: _open_door(one, keys, guardian, stack) for name, one in machines.items()}
        ways = {
            (source, target): stack.enter_context(relay(port))
            for source in machines
            for target, port in ports.items()
            if source != target
        }
        for name, machine in machines.items():
            doors = {
                end: Door(LOCALHOST, way.port)
                for (start, end), way in ways.items()
                if start == name
            }
            write_doors(machine, doors, keys)
        stack.callback(guardian.close)
        yield Loopback(machines, ways)


def _open_door(machine: Machine, keys: Path, guardian: Guardian, stack: ExitStack) -> int:
    """Start the machine's sshd and return its port."""
    place = machine.home / "sshd"
    place.mkdir(mode=0o700)
    env = {name: value for name, value in machine.env.items() if name != RUN}
    for _ in range(_PORTS_TRIED):
        port = free_port()
        process = start_sshd(place, keys, LOCALHOST, port, known=machine.session, env=env)
        if process is not None:
            guardian.watch("process", str(process.pid))
            stack.callback(process.wait)
            return port
    raise AssertionError((place / "log").read_text(errors="replace"))
