"""The fifth part of the composition root: a worker with all that is around it, from an ``App``.

Above ``fleet`` and ``workshop``, because it needs both. What only some workers need is imported
where it is made: most have no hooks and no messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import msgspec

from gitbaton.app import App
from gitbaton.core.errors import BatonError
from gitbaton.serving.naming import pin_words, pinned_name, require_given
from gitbaton.wishes import Wishes
from gitbaton.work.crew import Crew
from gitbaton.work.events import Listener, Teller, WorkEvent
from gitbaton.work.reception import Bare
from gitbaton.work.shift import Shift
from gitbaton.work.slots import Slots
from gitbaton.work.worker import Worker
from gitbaton.workshop import Workshop

if TYPE_CHECKING:
    from gitbaton.fleet import Fleet
    from gitbaton.hooks.courier import Courier
    from gitbaton.hooks.event import Source
    from gitbaton.plans.health.alarms import News
    from gitbaton.plans.inbox.feed import Feed, Pulled
    from gitbaton.plans.inbox.opening import OpenInbox
    from gitbaton.serving.fitness import Fitness
    from gitbaton.serving.lookout import Lookout, Mailbag
    from gitbaton.serving.mailroom import Mailroom
    from gitbaton.serving.roster import Roster
    from gitbaton.serving.standing import Standing


_QUICKEST: Final = 1.0  # seconds between two beats, however short the leases are


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """How a worker serves, besides how it works. ``files``: JSON lines that are messages too."""

    files: tuple[Path, ...] = ()
    take_over: bool = False


class Outpost:
    """One worker of one clone: what it tells goes to a screen, and to the hooks of the checkout."""

    def __init__(self, app: App, listener: Listener) -> None:
        self._app = app
        self._screen = listener
        self._courier: Courier | None = None
        self._source: Source | None = None
        self._workshop = Workshop(app, self._hear)
        self._tell = Teller(self._hear, app.clock)

    @contextmanager
    def working(self, wishes: Wishes) -> Iterator[Worker]:
        """Give a worker that pulls. Raises as ``Workshop.outfit``, and InvalidInput."""
        require_given(wishes.capabilities)
        crew, shift = self._workshop.outfit(wishes)
        words = shift.capabilities | pin_words(shift.name)
        with ExitStack() as stack:
            stack.enter_context(self._workshop.hearts)
            if not self._app.config.hooks:
                # Nobody would hear of an alert, and looking for one is not free.
                yield self._workshop.worker(crew, shift, Slots(crew), Bare(words))
                return
            from gitbaton.serving.roster import Roster
            from gitbaton.serving.rounds import Rounds

            self._tell_hooks(stack, shift)
            roster = Roster(crew, Slots(crew))
            rounds = Rounds(words, [self._lookout(shift, roster).attend])
            yield self._workshop.worker(crew, shift, roster, rounds)

    @contextmanager
    def serving(self, wishes: Wishes, posting: Posting) -> Iterator[Worker]:
        """Give a worker that pulls and is called, and is known to others as long as it is there.

        Raises NameTaken, and as ``working``.
        """
        from gitbaton.serving.lookout import Mailbag
        from gitbaton.serving.roster import Roster
        from gitbaton.serving.rounds import FitRounds
        from gitbaton.serving.vetting import Vetting

        require_given(wishes.capabilities)
        name = pinned_name(wishes.name or self._app.identity.machine)
        crew, shift = self._workshop.outfit(replace(wishes, name=name))
        fitness = self._fitness(crew, shift)
        roster = Roster(crew, Slots(crew))
        with ExitStack() as stack:
            self._tell_hooks(stack, shift)
            standing = self._standing(stack, shift, fitness, posting)
            mail = self._open_inbox(stack, posting.files)
            mailroom = self._mailroom(mail, crew, shift, posting.files, fitness, roster)
            stack.callback(mailroom.close)
            bag = Mailbag(mail.inbox, name, self._boxes, self._app.clock)
            lookout = self._lookout(shift, roster, bag)
            attendants = (standing.attend, mailroom.attend, lookout.attend)
            stack.enter_context(self._workshop.hearts)
            yield self._workshop.worker(
                crew,
                shift,
                Vetting(crew, roster, fitness),
                FitRounds(fitness, attendants, self._tell),
            )

    # --- the parts

    @cached_property
    def _fleet(self) -> Fleet:
        from gitbaton.fleet import Fleet

        return Fleet(self._app)

    def _fitness(self, crew: Crew, shift: Shift) -> Fitness:
        from gitbaton.serving.fitness import Fitness

        return Fitness(
            shift.name,
            shift.capabilities,
            store=self._app.store,
            tools=self._fleet.tools,
            required=self._fleet.required,
            troubles=lambda: _login_troubles(crew),
            clock=self._app.clock,
        )

    def _standing(
        self, stack: ExitStack, shift: Shift, fitness: Fitness, posting: Posting
    ) -> Standing:
        """Return the worker's standing, which is announced, and given up when ``stack`` ends."""
        from gitbaton.fleet import BEATS, load
        from gitbaton.serving.standing import Standing

        standing = Standing(
            self._fleet.registry,
            self._app.clock,
            reason=lambda: fitness.reason,
            load=load,
            tell=self._tell,
        )
        described = self._fleet.describe(
            shift.name, slots=shift.jobs, capabilities=shift.capabilities
        )
        record = msgspec.structs.replace(
            described,
            interval=max(shift.lease / BEATS, _QUICKEST),
            reason=fitness.reason,
        )
        standing.open(record, take_over=posting.take_over)
        stack.callback(standing.close)
        self._workshop.along.append(standing.riders)
        return standing

    def _open_inbox(self, stack: ExitStack, files: Sequence[Path]) -> OpenInbox:
        from gitbaton.plans.inbox.addresses import Destination
        from gitbaton.plans.inbox.opening import open_inbox

        app = self._app
        opened = open_inbox(Destination(None), app.env, app.clock, watched=files)
        stack.callback(opened.close)
        return opened

    def _mailroom(
        self,
        mail: OpenInbox,
        crew: Crew,
        shift: Shift,
        files: Sequence[Path],
        fitness: Fitness,
        roster: Roster,
    ) -> Mailroom:
        from gitbaton.plans.inbox.drain import Drain
        from gitbaton.plans.inbox.feed import Feed
        from gitbaton.serving.doorkeeping import Doorkeeper
        from gitbaton.serving.errands import Errands
        from gitbaton.serving.mailroom import LEASE, Mailroom

        app = self._app
        drain = Drain(
            mail.inbox,
            reader=shift.name,
            boxes=self._boxes,
            lease=LEASE,
            clock=app.clock,
            bell=mail.bell,
            feeds=[Feed(file, mail.inbox) for file in files],
            told=self._tell_feed,
            history=float(app.config.inbox.history),
        )
        return Mailroom(
            drain,
            Doorkeeper(shift.name, app.queue, fitness),
            Errands(crew, mail.inbox, shift.name, lambda: roster.stopped),
            fitness,
            clock=app.clock,
            tell=self._tell,
        )

    def _lookout(self, shift: Shift, roster: Roster, mailbag: Mailbag | None = None) -> Lookout:
        from gitbaton.plans.health.alarms import Alarms
        from gitbaton.serving.lookout import Lookout

        app = self._app
        return Lookout(
            app.queue,
            self._fleet.registry,
            shared=self._fleet.alarms,
            own=Alarms(app.local, app.clock, f"worker/{shift.name}"),
            limits=self._fleet.limits,
            agents=roster.agents,
            mailbag=mailbag,
            raise_alarm=self._raise_alarm,
            clock=app.clock,
            tell=self._tell,
        )

    @property
    def _boxes(self) -> frozenset[str]:
        from gitbaton.plans.inbox.opening import home
        from gitbaton.plans.inbox.rules import boxes

        place = PurePosixPath(self._app.clone.top.resolve())
        return boxes(place, PurePosixPath(home(self._app.env).resolve()))

    # --- what is told

    def _tell_hooks(self, stack: ExitStack, shift: Shift) -> None:
        if not self._app.config.hooks:
            return
        screen = Teller(self._screen, self._app.clock)  # the troubles of hooks are not for hooks
        courier = self._fleet.courier(lambda text: screen("notice", text))
        self._source = self._fleet.source(shift.name)
        self._courier = stack.enter_context(courier)

    def _hear(self, told: WorkEvent) -> None:
        self._screen(told)
        if self._courier is None or self._source is None:
            return
        from gitbaton.hooks.event import event_from_work

        event = event_from_work(told, self._source)
        if event is not None:
            self._courier.tell(event)

    def _raise_alarm(self, news: News) -> None:
        self._tell("notice", news.text)
        if self._courier is None or self._source is None:
            return
        from gitbaton.hooks.event import event_from_news

        self._courier.tell(event_from_news(news, self._source))

    def _tell_feed(self, feed: Feed, what: Pulled | BatonError) -> None:
        if isinstance(what, BatonError):
            self._tell("notice", f"{feed.path}: {what.message}")
        elif what.rejects:
            self._tell("notice", f"{feed.path}: {what.rejects} lines are no messages")


def _login_troubles(crew: Crew) -> tuple[str, ...]:
    from gitbaton.work.agentcheck import check_agent

    profile = crew.orders.profile
    state = check_agent(profile, crew.env)
    if state.logged_in is not False:
        return ()
    said = f" ({state.login})" if state.login else ""
    return (f"the agent {profile.name} is not logged in{said}",)
