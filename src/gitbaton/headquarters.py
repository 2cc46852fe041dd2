"""The fourth part of the composition root: what runs plans from a clone, from an ``App``.

Above ``fleet`` and ``workshop``, because it needs both.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeAlias

from gitbaton.app import App
from gitbaton.fleet import Fleet
from gitbaton.git.fast.address import SshAddress
from gitbaton.hooks.event import event_from_news
from gitbaton.orchestration.aligning import Terms
from gitbaton.orchestration.branches import Branches
from gitbaton.orchestration.chart import Chart
from gitbaton.orchestration.events import Listener
from gitbaton.orchestration.housekeeping import Housekeeping
from gitbaton.orchestration.look import Look, look_at
from gitbaton.orchestration.orchestrator import Orchestrator, Surroundings
from gitbaton.orchestration.ringing import InboxRinger
from gitbaton.plans.health.alarms import Alarms
from gitbaton.plans.inbox.addresses import Destination
from gitbaton.plans.inbox.opening import REMOTE_COMMAND, OpenInbox, open_inbox
from gitbaton.plans.model import Plan
from gitbaton.plans.registry.record import Address
from gitbaton.tasks.view import View
from gitbaton.workshop import Workshop

ChartOf: TypeAlias = Callable[[View], Chart]
"""From all tasks to the plan that is followed among them."""


class Headquarters:
    """What plans are run and watched with in one clone."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._fleet = Fleet(app)
        self._workshop = Workshop(app, lambda event: None)

    @contextmanager
    def orchestrator(
        self, plan: Plan, data: bytes, listener: Listener, *, every: float | None
    ) -> Iterator[tuple[Orchestrator, Callable[[float], object]]]:
        """Give an orchestrator of ``plan``, whose file is ``data``, and how it waits."""
        app, notices = self._app, list[str]()
        woken = threading.Event()

        def wait(seconds: float) -> None:
            woken.wait(seconds)
            woken.clear()

        with ExitStack() as stack:
            ringer = stack.enter_context(InboxRinger(self._open_inbox, woken.set))
            courier = stack.enter_context(self._fleet.courier(notices.append))
            source = self._fleet.source(None)
            housekeeping = Housekeeping(
                shared=self._fleet.alarms,
                own=Alarms(app.local, app.clock, f"plan/{plan.name}"),
                limits=self._fleet.limits,
                clock=app.clock,
                settle=self._workshop.settler().run,
                renew_protection=app.renew_gatekeeper,
                raise_alarm=lambda news: courier.tell(event_from_news(news, source)),
            )

            def upkeep(look: Look) -> Iterator[str]:
                yield from housekeeping(look)
                while notices:
                    yield notices.pop(0)

            around = Surroundings(
                store=app.store,
                queue=app.queue,
                registry=self._fleet.registry,
                ringer=ringer,
                clock=app.clock,
                actor=app.identity.actor,
                terms=self._terms,
                upkeep=upkeep,
            )
            yield Orchestrator(plan, data, around, listener, every=every), wait

    @property
    def branches(self) -> Branches:
        """The branches of phases."""
        app, protection = self._app, self._app.protection()
        return Branches(
            app.repository,
            self._workshop.upstream,
            self._workshop.code_remote,
            prefix=protection.config.project.branch_prefix,
            target=protection.target,
        )

    def look(self, chart_of: ChartOf) -> Look:
        """Return one look at a plan. ``chart_of``: from a view to the chart."""
        app = self._app
        view = app.queue.view()
        workers = self._fleet.registry.sighted_in(view.snapshot)
        return look_at(chart_of(view), view, workers, app.gatekeeper)

    @property
    def _terms(self) -> Terms:
        wanted = self._app.config.queue
        return Terms(lease=float(wanted.lease), max_attempts=wanted.max_attempts)

    def _open_inbox(self, address: Address) -> OpenInbox:
        """Open a worker's inbox: by ssh, but for one that says ``localhost`` and nothing more."""
        app = self._app
        user, _, host = address.host.rpartition("@")
        own = host == "localhost" and not user and address.port is None
        place = None if own else SshAddress(host, "", user or None, address.port)
        env = dict(app.env)
        if address.program != REMOTE_COMMAND:
            env["BATON_REMOTE_COMMAND"] = shlex.quote(address.program)  # one word there too (I8)
        return open_inbox(
            Destination(place, address.path), env, app.clock, connections=self._fleet.connections
        )
