"""The fifth part of the composition root: a worker with all that is around it, from an ``App``.

Above ``fleet`` and ``workshop``, because it needs both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import msgspec

from gitbaton.app import App
from gitbaton.core.errors import BatonError, InvalidInput
from gitbaton.core.ids import agent_name
from gitbaton.fleet import BEATS, Fleet, load
from gitbaton.hooks.courier import Courier
from gitbaton.hooks.event import Source, event_from_news, event_from_work
from gitbaton.plans.health.alarms import Alarms, News
from gitbaton.plans.inbox.addresses import Destination
from gitbaton.plans.inbox.drain import Drain
from gitbaton.plans.inbox.feed import Feed, Pulled
from gitbaton.plans.inbox.opening import OpenInbox, home, open_inbox
from gitbaton.plans.inbox.rules import boxes
from gitbaton.plans.registry.record import WorkerRecord
from gitbaton.plans.words import is_kept, pin_word
from gitbaton.serving.doorkeeping import Doorkeeper
from gitbaton.serving.errands import Errands
from gitbaton.serving.fitness import Fitness
from gitbaton.serving.lookout import Lookout, Mailbag
from gitbaton.serving.mailroom import LEASE, Mailroom
from gitbaton.serving.roster import Roster
from gitbaton.serving.rounds import FitRounds, Rounds
from gitbaton.serving.standing import Standing
from gitbaton.serving.vetting import Vetting
from gitbaton.tasks.validation import capability
from gitbaton.work.agentcheck import check_agent
from gitbaton.work.crew import Crew
from gitbaton.work.events import Listener, Teller, WorkEvent
from gitbaton.work.profiles import Profile
from gitbaton.work.slots import Slots
from gitbaton.work.worker import Shift, Worker
from gitbaton.workshop import Wishes, Workshop


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
        self._fleet = Fleet(app)
        self._courier: Courier | None = None
        self._source = Source()
        self._workshop = Workshop(app, self._hear)
        self._tell = Teller(self._hear, app.clock)

    @contextmanager
    def working(self, wishes: Wishes) -> Iterator[Worker]:
        """Give a worker that pulls. Raises as ``Workshop.outfit``, and InvalidInput."""
        words = _allowed(wishes.capabilities)
        crew, shift = self._workshop.outfit(wishes)
        roster = Roster(crew, Slots(crew))
        with ExitStack() as stack:
            self._tell_hooks(stack, shift)
            # Without a hook nobody would hear of an alert, and looking for one is not free.
            watched = [self._lookout(shift, roster).attend] if self._app.config.hooks else []
            reception = Rounds(shift.capabilities | words | _pin(shift.name), watched)
            stack.enter_context(self._workshop.hearts)
            yield self._workshop.worker(crew, shift, roster, reception)

    @contextmanager
    def serving(self, wishes: Wishes, posting: Posting) -> Iterator[Worker]:
        """Give a worker that pulls and is called, and is known to others as long as it is there.

        Raises NameTaken, and as ``working``.
        """
        app, fleet = self._app, self._fleet
        words = _allowed(wishes.capabilities)
        name = agent_name(wishes.name or app.identity.machine, field="--name")
        if not _pin(name):
            raise InvalidInput(
                "--name",
                f"{name!r} cannot be pinned to: lowercase letters, digits and . _ + -",
                next="baton worker serve --name NAME",
            )
        crew, shift = self._workshop.outfit(replace(wishes, name=name))
        fitness = Fitness(
            name,
            shift.capabilities | words,
            store=app.store,
            tools=fleet.tools,
            required=fleet.required,
            troubles=lambda: _login_troubles(crew),
            clock=app.clock,
        )
        roster = Roster(crew, Slots(crew))
        with ExitStack() as stack:
            self._tell_hooks(stack, shift)
            standing = Standing(
                fleet.registry,
                app.clock,
                reason=lambda: fitness.reason,
                load=load,
                tell=self._tell,
            )
            standing.open(self._record(shift, fitness), take_over=posting.take_over)
            stack.callback(standing.close)
            self._workshop.along.append(standing.riders)
            mail = self._open_inbox(stack, posting.files)
            mailroom = self._mailroom(mail, crew, shift, posting.files, fitness, roster)
            stack.callback(mailroom.close)
            bag = Mailbag(mail.inbox, name, self._boxes, app.clock)
            attendants = (
                standing.attend,
                mailroom.attend,
                self._lookout(shift, roster, bag).attend,
            )
            stack.enter_context(self._workshop.hearts)
            yield self._workshop.worker(
                crew,
                shift,
                Vetting(crew, roster, fitness),
                FitRounds(fitness, attendants, self._tell),
            )

    # --- the parts

    def _record(self, shift: Shift, fitness: Fitness) -> WorkerRecord:
        described = self._fleet.describe(
            shift.name, slots=shift.jobs, capabilities=shift.capabilities
        )
        return msgspec.structs.replace(
            described, interval=shift.lease / BEATS, reason=fitness.reason
        )

    def _open_inbox(self, stack: ExitStack, files: Sequence[Path]) -> OpenInbox:
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
        place = PurePosixPath(self._app.clone.top.resolve())
        return boxes(place, PurePosixPath(home(self._app.env).resolve()))

    # --- what is told

    def _tell_hooks(self, stack: ExitStack, shift: Shift) -> None:
        self._source = self._fleet.source(shift.name)
        notice = Teller(self._screen, self._app.clock)
        courier = self._fleet.courier(lambda text: notice("notice", text))
        self._courier = stack.enter_context(courier)

    def _hear(self, told: WorkEvent) -> None:
        self._screen(told)
        event = event_from_work(told, self._source)
        if event is not None and self._courier is not None:
            self._courier.tell(event)

    def _raise_alarm(self, news: News) -> None:
        self._tell("notice", news.text)
        if self._courier is not None:
            self._courier.tell(event_from_news(news, self._source))

    def _tell_feed(self, feed: Feed, what: Pulled | BatonError) -> None:
        if isinstance(what, BatonError):
            self._tell("notice", f"{feed.path}: {what.message}")
        elif what.rejects:
            self._tell("notice", f"{feed.path}: {what.rejects} lines are no messages")


def _allowed(words: Sequence[str]) -> frozenset[str]:
    """Return capabilities that were given by hand. Raises InvalidInput."""
    for word in words:
        if is_kept(word):
            raise InvalidInput("--cap", f"{word!r} is not given by hand: it comes of itself")
        capability(word)
    return frozenset(words)


def _pin(name: str) -> frozenset[str]:
    """Return the word of the worker of this name; a name that is no word has none."""
    try:
        return frozenset({capability(pin_word(name))})
    except InvalidInput:
        return frozenset()


def _login_troubles(crew: Crew) -> tuple[str, ...]:
    profile: Profile = crew.orders.profile
    state = check_agent(profile, crew.env)
    if state.logged_in is not False:
        return ()
    said = f" ({state.login})" if state.login else ""
    return (f"the agent {profile.name} is not logged in{said}",)
