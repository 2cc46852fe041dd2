"""Puts the parts of a shared world together: the clone's store and remote under the frames.

Beside ``workshop`` and ``fleet``: a part of the composition root that only ``frame`` pays for. What
works is imported when it is first needed: most of its verbs only read.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from gitbaton.app import App
from gitbaton.core.errors import InvalidInput, Refused
from gitbaton.core.ids import agent_name, new_nonce
from gitbaton.frames.founding import Founded, Founding, found
from gitbaton.frames.history import History
from gitbaton.frames.journal import UNDELIVERED, Journal, noted_below
from gitbaton.frames.names import STREAM_LIMIT
from gitbaton.frames.news import Listener, News
from gitbaton.frames.refs import WORLD, FrameRefs
from gitbaton.frames.stage import Stage
from gitbaton.frames.standing import Standing, survey
from gitbaton.frames.stream import Stream
from gitbaton.frames.tokens import Role
from gitbaton.git.plain import PlainRemote
from gitbaton.git.shallow import fetch_last
from gitbaton.workspace.lookup import push_url
from gitbaton.workspace.place import find_place

if TYPE_CHECKING:
    from gitbaton.frames.attendant import Attendant
    from gitbaton.frames.beacon import Beacon
    from gitbaton.frames.errand import Ended, Errand, Halt, Runner
    from gitbaton.frames.performance import Performance
    from gitbaton.work.outcome import AgentOutcome

_MOST_WORKERS = 1000  # of one clone

__all__ = ["Founded", "Founding", "Part", "Theatre"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a worker is to do.

    ``command``: the words of each stream, or a function in this process. ``name``: None for one
    that no other worker of this clone has now, and that is the same after a restart. ``frames``:
    end when so many more were published; None: go on. ``timeout``: seconds that a stream may run;
    None: nine tenths of the frame's deadline. ``grace``: seconds between TERM and KILL.
    """

    command: Sequence[str] | Stream
    streams: int = 1
    name: str | None = None
    frames: int | None = None
    primary: bool = True
    timeout: float | None = None
    grace: float = 10.0


class Theatre:
    """The frames of one clone. ``settle``: see ``frames.primary.Primary``."""

    def __init__(self, app: App, *, branch: str = WORLD, settle: float = 1.0) -> None:
        """Raises InvalidInput for a bad branch name, Refused where there is no git remote."""
        if app.remote is None:
            raise Refused(
                "frames need a git remote: this clone keeps its records to itself",
                code="no_remote",
                next="git remote add origin URL, then baton init --remote origin",
            )
        self._app = app
        self._settle = settle
        self._refs = FrameRefs(app.settings.namespace, branch)

    @property
    def directory(self) -> Path:
        """Where workers of this clone keep worlds, ops and logs: outside of every repository."""
        app = self._app
        return find_place(app.clone, app.config.work.worktrees, app.git_config) / "frames"

    def found(self, founding: Founding) -> Founded:
        """Make the world at frame 0, or say that it is there. Raises HostRefused, InvalidInput."""
        return found(self.stage, founding, self._person)

    @contextmanager
    def worker(self, part: Part, listener: Listener) -> Iterator[Performance]:
        """Give a worker: ``run()`` until its frames are over, ``drain()``, ``stop()``.

        ``run`` returns the number of frames it delivered in, and raises Refused when there is no
        world or another process bears the name. Raises InvalidInput for a part that cannot be
        played, Refused when another process of this clone has the name now.
        """
        from gitbaton.frames.courier import Courier
        from gitbaton.frames.rounds import Rounds
        from gitbaton.frames.shelf import Shelf
        from gitbaton.frames.troupe import Troupe
        from gitbaton.frames.worker import Terms, Worker

        if not 1 <= part.streams <= STREAM_LIMIT:
            raise InvalidInput("streams", f"{part.streams} is not between 1 and {STREAM_LIMIT}")
        tell = _in_turn(listener)
        with self._named(part.name) as (name, place):
            attendant = self._attendant(tell, worker=(name, part.streams), primary=part.primary)
            rounds = Rounds(attendant, tell, self._app.rng)
            shelf = Shelf(place / "worlds", self._app.repository.objects)
            shelf.clear()
            yield Worker(
                Terms(name=name, person=self._person, frames=part.frames, timeout=part.timeout),
                attendant,
                rounds,
                Troupe(name, place, shelf, self._runner(part), tell),
                Courier(
                    name,
                    self._person,
                    attendant,
                    rounds,
                    Journal(place / UNDELIVERED),
                    tell,
                ),
                tell,
            )

    @contextmanager
    def primary(self, listener: Listener, *, frames: int | None = None) -> Iterator[Performance]:
        """Give a primary without streams: the same three methods. It takes the lease when free."""
        from gitbaton.frames.performance import Lead
        from gitbaton.frames.rounds import Rounds

        tell = _in_turn(listener)
        attendant = self._attendant(tell, worker=None, primary=True)
        yield Lead(attendant, Rounds(attendant, tell, self._app.rng), tell, frames=frames)

    def standing(self) -> Standing:
        """Return how the world stands now: one look. Raises Refused where there is no world."""
        return survey(self.stage)

    @cached_property
    def history(self) -> History:
        """The frames so far: ``log``, ``at``, ``show``, ``diff``, ``replay``."""
        return History(self.stage)

    @cached_property
    def stage(self) -> Stage:
        """The world as this process sees it."""
        app = self._app
        assert app.remote is not None and app.settings.remote is not None, "checked at the start"
        plain = PlainRemote(app.repository.git, push_url(app.clone, app.settings.remote))
        return Stage(
            app.repository,
            app.remote,
            self._refs,
            app.clock,
            fetch_last=partial(fetch_last, app.repository, plain),
            noted=lambda: noted_below(self.directory),
        )

    @property
    def _person(self) -> tuple[str, str]:
        actor = self._app.identity.actor
        return actor.name, actor.email

    def _attendant(
        self, listener: Listener, *, worker: tuple[str, int] | None, primary: bool
    ) -> Attendant:
        from gitbaton.frames.attendant import Attendant

        stage = self.stage
        name, streams = worker or (self._default_name("primary"), 0)
        presence = self._beacon(stage.refs.presence(name), "worker", name, streams)
        return Attendant(
            stage,
            presence=presence if worker else None,
            lease=self._beacon(stage.refs.lease, "primary", name) if primary else None,
            person=self._person,
            listener=listener,
            settle=self._settle,
        )

    def _beacon(self, ref: str, role: Role, name: str, streams: int = 0) -> Beacon:
        from gitbaton.frames.beacon import Beacon

        app = self._app
        return Beacon(
            ref=ref,
            role=role,
            name=name,
            machine=app.identity.machine,
            person=self._person,
            clock=app.clock,
            format=app.repository.objects.format,
            streams=streams,
        )

    @contextmanager
    def _named(self, wanted: str | None) -> Iterator[tuple[str, Path]]:
        """Give a worker's name and its directory, which no other process has meanwhile."""
        from filelock import FileLock, Timeout  # 20 ms, which only workers pay

        for number in range(1, _MOST_WORKERS):
            name = agent_name(wanted or self._default_name(str(number)), field="name")
            # What it has not delivered yet belongs to one world.
            whose = name if self._refs.branch == WORLD else f"{name}\0{self._refs.branch}"
            place = self.directory / hashlib.sha256(whose.encode()).hexdigest()[:16]
            place.mkdir(parents=True, exist_ok=True)
            lock = FileLock(place / "lock", timeout=0)
            try:
                lock.acquire()
            except Timeout as error:
                if wanted is None:
                    continue
                raise Refused(
                    f"another process of this clone works as {name!r}",
                    code="name_taken",
                    next="baton frame work --name ANOTHER",
                ) from error
            try:
                yield name, place
            finally:
                lock.release()
            return
        raise Refused(
            f"{_MOST_WORKERS} workers run in this clone already",
            next="baton frame work in another clone",
        )

    def _default_name(self, suffix: str) -> str:
        """Return a name that is the same after a restart, and another one in every clone."""
        clone = hashlib.sha256(str(self._app.state).encode()).hexdigest()[:6]
        return f"{self._app.identity.machine}-{clone}-{suffix}"

    def _runner(self, part: Part) -> Runner:
        from gitbaton.frames.errand import fill_in, run_in_process
        from gitbaton.work.agent import AgentSpec, run_agent
        from gitbaton.work.environment import ELSEWHERE
        from gitbaton.work.program import with_baton
        from gitbaton.work.strays import MARK

        command, app = part.command, self._app
        if callable(command):
            return run_in_process(command, app.clock)
        if not command:
            raise InvalidInput("cmd", "a command has at least one word")
        words = tuple(command)
        kept = {k: v for k, v in with_baton(app.env).items() if k not in ELSEWHERE}
        kept.pop("BATON_SESSION", None)  # it would let the stream act as the worker's own session
        base = {**kept, "GIT_TERMINAL_PROMPT": "0"}
        program = app.clone.top / words[0] if "/" in words[0] else words[0]
        if shutil.which(program, path=base["PATH"]) is None:
            raise InvalidInput("cmd", f"there is no program {words[0]!r} to run the streams with")

        def run(errand: Errand, halt: Halt) -> Ended:
            spec = AgentSpec(
                argv=fill_in(words, errand),
                cwd=app.clone.top,
                env={**base, **errand.environment, MARK: new_nonce()},
                log=errand.log,
                timeout=errand.timeout,
                grace=part.grace,
            )
            return _ended(run_agent(spec, clock=app.clock, should_stop=halt))

        return run


def _ended(outcome: AgentOutcome) -> Ended:
    from gitbaton.frames.errand import Ended
    from gitbaton.work.outcome import Ending

    if outcome.succeeded:
        return Ended("ok")
    words = outcome.summary.encode("utf-8", "replace").decode()[:300]
    return Ended("timed-out" if outcome.reason is Ending.TIMED_OUT else "failed", words)


def _in_turn(listener: Listener) -> Callable[[News], None]:
    """Return ``listener`` for several threads: one call at a time."""
    lock = threading.Lock()

    def tell(news: News) -> None:
        with lock:
            listener(news)

    return tell
