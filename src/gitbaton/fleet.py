"""The third part of the composition root: what a clone knows of other machines, from an ``App``.

Apart from ``app`` and ``workshop``, because only plans and known workers pay for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Final

from gitbaton import __version__
from gitbaton.app import App
from gitbaton.hooks.courier import Courier, make_delivery
from gitbaton.hooks.event import Source
from gitbaton.hooks.hook import make_hooks
from gitbaton.hooks.queue import Queue as HookQueue
from gitbaton.plans.health.alarms import Alarms
from gitbaton.plans.health.rules import Limits
from gitbaton.plans.registry.record import REASON_LIMIT, WorkerRecord
from gitbaton.plans.registry.registry import Registry
from gitbaton.plans.registry.watching import Watch
from gitbaton.plans.toolchain.probe import ToolProbe
from gitbaton.plans.toolchain.requirements import (
    Requirement,
    parse_requirements,
    shortcomings,
)
from gitbaton.plans.toolchain.tools import KNOWN
from gitbaton.store.ssh.ways import SshConnections
from gitbaton.tasks.text import clean_line

BEATS: Final = 3  # in a lease


class Fleet:
    """The other machines, and what they and people are told. Parts are built on first use."""

    def __init__(self, app: App) -> None:
        self._app = app

    @cached_property
    def registry(self) -> Registry:
        """The workers that are known."""
        app = self._app
        watch = Watch(app.local, app.clock, self._remote)
        return Registry(app.store, app.clock, watch, app.identity.actor)

    @property
    def interval(self) -> float:
        """Seconds between two beats of a worker."""
        return float(self._app.config.queue.lease) / BEATS

    @cached_property
    def required(self) -> dict[str, Requirement]:
        """What the tools of this checkout must be. Raises InvalidInput."""
        return parse_requirements(self._app.config.toolchain)

    @cached_property
    def tools(self) -> ToolProbe:
        """The tools of this machine."""
        return ToolProbe(self._app.env, trusted=self._app.config.toolchain)

    def measure(self) -> dict[str, str]:
        """Return the version of every tool that is here, of those known and those required."""
        found = self.tools.find([*KNOWN, *self.required])
        return {tool: str(one.version) for tool, one in sorted(found.items()) if one.version}

    def unmet(self) -> tuple[str, ...]:
        """Return why this machine's tools will not do for this checkout, a sentence each."""
        return shortcomings(self.tools.check(self.required))

    def versions(self) -> dict[str, str]:
        """Return the versions of what coordinates: baton and git."""
        git = self.tools.find(["git"])["git"].version
        return {"baton": __version__, **({"git": str(git)} if git else {})}

    def describe(self, name: str, *, slots: int, capabilities: Iterable[str]) -> WorkerRecord:
        """Return the record with which a worker here announces itself: what it is and has.

        It has a reason to refuse where its tools will not do. Raises InvalidInput.
        """
        reasons = "; ".join(self.unmet())
        return WorkerRecord(
            name=name,
            machine=self._app.identity.machine,
            reason=clean_line(reasons, REASON_LIMIT) or None,
            capabilities=tuple(sorted(capabilities)),
            toolchain=self.measure(),
            slots=slots,
            load=load(),
            interval=self.interval,
            versions=self.versions(),
        )

    @cached_property
    def connections(self) -> SshConnections:
        """The user's own ssh, one connection for each place."""
        return SshConnections(self._app.env)

    @cached_property
    def hook_queue(self) -> HookQueue:
        """What hooks are yet to be told."""
        return HookQueue(
            self._app.local,
            self._app.clock,
            self._app.owners.enter(),
            self._app.owners.is_alive,
        )

    def courier(self, notice: Callable[[str], None]) -> Courier:
        """Return what tells the hooks of this checkout; to be entered by whoever works.

        The hooks are those of now: what an agent writes into a worktree, or lands, changes
        nothing for a worker that runs. Raises InvalidInput.
        """
        app = self._app
        return Courier(
            make_hooks(app.config.hooks, app.env),
            self.hook_queue,
            make_delivery(app.env, app.clone.top),
            clock=app.clock,
            rng=app.rng,
            notice=notice,
        )

    def source(self, worker: str | None) -> Source:
        """Return who tells: this project, ``worker`` and this machine."""
        return Source(project=self._app.project, worker=worker, machine=self._app.identity.machine)

    @cached_property
    def alarms(self) -> Alarms:
        """What people were told already, from this clone."""
        return Alarms(self._app.local, self._app.clock, "fleet")

    @property
    def limits(self) -> Limits:
        """From when on people are told."""
        health = self._app.config.health
        return Limits(message_age=float(health.message_age), stall=float(health.stall))

    @property
    def _remote(self) -> str:
        app = self._app
        return app.remote.url if app.remote is not None else str(app.state)


def load() -> float | None:
    """Return the last minute's load for each processor; None where the system counts none."""
    average: Callable[[], tuple[float, float, float]] | None = getattr(os, "getloadavg", None)
    try:
        return None if average is None else round(average()[0] / (os.cpu_count() or 1), 2)
    except OSError:
        return None
