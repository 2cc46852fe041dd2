"""The lab: opens a link when it is asked for, and says why where it cannot."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.lab import echo, sshd, web
from benchmarks.lab.daemons import CannotServe, daemon, wait_for_port
from benchmarks.lab.links import Link
from benchmarks.lab.namespaces import SERVER, CannotJoin, Joined, joined_namespaces
from benchmarks.lab.redis import redis_server
from benchmarks.lab.workplace import Workplace
from tests.servers.ports import LOCALHOST, free_port

_REDIS_PORT = 6379
Address = tuple[str, int]


class Unavailable(Exception):
    """Something cannot be measured on this machine; the text says why."""


@dataclass(frozen=True)
class Way:
    """How a client gets to the remote: words before its command, environment, addresses."""

    link: Link
    side: tuple[str, ...]
    env: Mapping[str, str]
    served_by: str
    redis: Address | None
    echo: Address | None
    root: Path

    def url(self, repository: Path) -> str:
        """Return the address of a repository by this way."""
        if self.link.kind == "ssh":
            return sshd.address(SERVER, repository)
        if self.link.kind == "https":
            return web.address(SERVER, self.root, repository)
        return str(repository)


@dataclass
class _Network:
    joined: Joined
    env: dict[str, Mapping[str, str]] = field(default_factory=dict)  # by kind of link
    served_by: dict[str, str] = field(default_factory=dict)
    trouble: dict[str, str] = field(default_factory=dict)
    redis: Address | None = None


class Lab:
    """Everything that runs while we measure. Use as a context manager: it ends what it started."""

    def __init__(self, workplace: Workplace) -> None:
        self.workplace = workplace
        self.notes: list[str] = []  # what could not be had, and why
        self._running = ExitStack()
        self._network: _Network | str | None = None  # a text: why there is none
        self._local_redis: Address | None = None
        self._asked_redis = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._running.close()

    def open(self, link: Link) -> Way:
        """Return the way by ``link``. Raises Unavailable."""
        place = self.workplace
        if link.added is None:
            redis = self._redis_here()
            return Way(link, (), place.env, "git itself", redis, None, place.repositories)
        if self._network is None:
            self._network = self._connect()
        network = self._network
        if isinstance(network, str):
            raise Unavailable(network)
        if link.kind in network.trouble:
            raise Unavailable(network.trouble[link.kind])
        network.joined.set_round_trip(link.added)
        return Way(
            link=link,
            side=network.joined.client,
            env={**place.env, **network.env[link.kind]},
            served_by=network.served_by[link.kind],
            redis=network.redis,
            echo=(SERVER, echo.PORT),
            root=place.repositories,
        )

    def _connect(self) -> _Network | str:
        """Make the namespaces and start every server in one; return why that cannot be."""
        try:
            network = _Network(self._running.enter_context(joined_namespaces()))
            self._start_echo(network)
        except (CannotJoin, CannotServe) as error:
            return str(error)
        place, joined = self.workplace, network.joined
        try:
            network.env["ssh"] = self._running.enter_context(
                sshd.ssh_server(
                    place.root / "sshd",
                    SERVER,
                    side=joined.server,
                    seen_from=joined.client,
                    env=place.env,
                )
            )
            network.served_by["ssh"] = "sshd"
        except CannotServe as error:
            network.trouble["ssh"] = str(error)
        try:
            network.served_by["https"], network.env["https"] = self._running.enter_context(
                web.web_server(
                    place.root / "web",
                    place.repositories,
                    SERVER,
                    side=joined.server,
                    seen_from=joined.client,
                    env=place.env,
                )
            )
        except CannotServe as error:
            network.trouble["https"] = str(error)
        network.redis = self._start_redis(SERVER, _REDIS_PORT, joined.server, joined.client)
        return network

    def _start_echo(self, network: _Network) -> None:
        log = self.workplace.root / "echo.log"
        words = [*network.joined.server, sys.executable, "-m", "benchmarks.lab.echo"]
        words += [SERVER, str(echo.PORT)]
        self._running.enter_context(daemon(words, log=log, env=self.workplace.env))
        wait_for_port(network.joined.client, SERVER, echo.PORT, log=log)

    def _redis_here(self) -> Address | None:
        if not self._asked_redis:
            self._asked_redis = True
            self._local_redis = self._start_redis(LOCALHOST, free_port(), (), ())
        return self._local_redis

    def _start_redis(
        self, host: str, port: int, side: tuple[str, ...], seen_from: tuple[str, ...]
    ) -> Address | None:
        place = self.workplace.root / "redis" / host
        try:
            self._running.enter_context(
                redis_server(
                    place, host, port, side=side, seen_from=seen_from, env=self.workplace.env
                )
            )
        except CannotServe as error:
            note = f"no Redis: {error}"
            if note not in self.notes:
                self.notes.append(note)
            return None
        return host, port
