"""A lab: named machines that reach each other by ssh, and a bare remote on the hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import psutil

from tests.integration.machines import loopback, namespaces
from tests.integration.machines.machine import HUB, Machine
from tests.needs import missing
from tests.servers.site import BareRepository, Site

Kind: TypeAlias = Literal["namespaces", "loopback"]


class Network(Protocol):
    """How the machines of a lab are joined."""

    @property
    def machines(self) -> Mapping[str, Machine]: ...

    def cut(self, name: str) -> None:
        """Pull out the cable of a machine: nothing passes, and nobody is told."""
        ...

    def mend(self, name: str) -> None:
        """Plug it in again."""
        ...

    def processes(self, name: str) -> Sequence[psutil.Process]:
        """Return what runs on a machine."""
        ...


class Lab:
    """The machines, their network, and the remote that all of them have cloned."""

    def __init__(self, network: Network, remote: BareRepository) -> None:
        self.network, self.remote = network, remote

    def __getitem__(self, name: str) -> Machine:
        return self.network.machines[name]

    def running(self, name: str) -> list[str]:
        """Return what runs on a machine besides sshd."""
        found = []
        for process in self.network.processes(name):
            try:
                if not process.name().startswith("sshd"):
                    found.append(" ".join(process.cmdline()) or process.name())
            except psutil.Error:
                continue
        return found

    def is_quiet(self, name: str) -> bool:
        """Tell whether nothing runs on a machine besides sshd."""
        return not self.running(name)


def best_kind() -> Kind:
    """Return the kind of lab to be had here. Namespaces need Linux and its administrator."""
    return "loopback" if missing("namespaces") else "namespaces"


@contextmanager
def open_lab(root: Path, names: Sequence[str], kind: Kind) -> Iterator[Lab]:
    """Make machines of these ``names`` and a hub below ``root``; nothing is left at the end."""
    joined: AbstractContextManager[Network]
    if kind == "namespaces":
        joined = namespaces.joined(root, names)
    else:
        joined = loopback.joined(root, names)
    with joined as network:
        yield Lab(network, _make_remote(network.machines[HUB]))


def _make_remote(hub: Machine) -> BareRepository:
    site = Site("ssh", hub.home, lambda path, _port: f"ssh://{HUB}{path}")
    remote = site.fresh()
    remote.git("symbolic-ref", "HEAD", "refs/heads/main")
    return remote
