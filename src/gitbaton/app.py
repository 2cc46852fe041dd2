"""The composition root: from a directory and an environment to a working queue.

This is the only place that chooses implementations. Everything is built on first use, so a
command pays for what it needs; imports that cost time are made where they are needed.
"""

from __future__ import annotations

import getpass
import platform
import random
import sys
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gitbaton.core.clock import Clock, SystemClock
from gitbaton.core.config import Config
from gitbaton.core.config_file import FILE_NAME, parse_config
from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import agent_name
from gitbaton.git.repository import Clone, CoordinationRepository
from gitbaton.store.model import Actor
from gitbaton.workspace.held import HeldClaim, HeldClaims, Session
from gitbaton.workspace.lookup import default_branch, push_url, read_git_config, remote_urls
from gitbaton.workspace.process import session_leader
from gitbaton.workspace.protection import Protection, ProtectionReader, project_name
from gitbaton.workspace.settings import (
    Settings,
    choose_remote,
    make_settings,
    read_settings,
    write_settings,
)

if TYPE_CHECKING:
    from gitbaton.git.remote import Remote
    from gitbaton.store.protocol import Store
    from gitbaton.tasks.claims import Claimant, Claimed
    from gitbaton.tasks.gates import GateKeeper
    from gitbaton.tasks.queue import Queue

_CAPABILITIES = {"linux": "linux", "darwin": "macos", "win32": "windows"}


class App:
    """One clone, ready for use. Close it when done."""

    def __init__(
        self,
        clone: Clone,
        env: Mapping[str, str],
        settings: Settings,
        *,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.clone = clone
        self.env = env
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.rng = rng or random.Random()

    @property
    def state(self) -> Path:
        """The one directory of the clone that gitbaton writes to."""
        return self.clone.common / "baton"

    @property
    def logs(self) -> Path:
        """Where the output of agents and the reports of bugs are kept."""
        return self.state / "logs"

    @cached_property
    def git_config(self) -> Mapping[str, str]:
        """Git's own configuration as it applies in the clone."""
        return read_git_config(self.clone)

    @cached_property
    def config(self) -> Config:
        """``baton.toml`` of this working tree: what steers this machine. Raises InvalidInput."""
        return read_config(self.clone)

    @cached_property
    def repository(self) -> CoordinationRepository:
        """The coordination repository, made on first use."""
        return CoordinationRepository.open(self.clone)

    @cached_property
    def remote(self) -> Remote | None:
        """The git remote that the clone coordinates through; None with the sqlite engine."""
        if self.settings.remote is None:
            return None
        from gitbaton.git.plain import PlainRemote

        return PlainRemote(self.repository.git, push_url(self.clone, self.settings.remote))

    @cached_property
    def local(self) -> Store:
        """What is private to this clone: stored tokens, sights, the outbox."""
        from gitbaton.store.sqlite import SqliteStore

        return SqliteStore(self.state / "local.sqlite", clock=self.clock)

    @cached_property
    def held(self) -> HeldClaims:
        """The tokens of claims made from this clone."""
        return HeldClaims(self.local, self.clock)

    @cached_property
    def store(self) -> Store:
        """The shared records, on the engine that ``init`` chose."""
        if self.settings.engine == "git":
            return self._open_git_store()
        from gitbaton.store.sqlite import SqliteStore
        from gitbaton.workspace.mover import CloneMover

        mover = CloneMover(self.repository)
        return SqliteStore(self.state / "store.sqlite", clock=self.clock, mover=mover)

    def protection(self, *, fresh: bool = False) -> Protection:
        """Return what protects people, from the remote's target branch (``fresh``: asked now)."""
        return self._protection.read(fresh=fresh)

    @cached_property
    def _protection(self) -> ProtectionReader:
        return ProtectionReader(
            self.repository,
            self.remote,
            default=self.settings.target,
            local=self.local,
            clock=self.clock,
        )

    @cached_property
    def machine(self) -> str:
        """The name of this machine, for people."""
        return platform.node() or "localhost"

    @cached_property
    def session(self) -> Session:
        """Who runs this command, as the rule for stored tokens sees it."""
        return Session(
            self.env.get("BATON_SESSION") or None,
            self.env.get("BATON_AGENT") or None,
            session_leader(origin=self.clock.origin),
        )

    @cached_property
    def person(self) -> Actor:
        """The human behind this clone, as git knows them."""
        name = self.env.get("GIT_AUTHOR_NAME") or self.git_config.get("user.name") or _login()
        email = self.env.get("GIT_AUTHOR_EMAIL") or self.git_config.get("user.email")
        return Actor(name, email) if email else Actor(name)

    @cached_property
    def actor(self) -> Actor:
        """Who makes the changes of this command: the agent named in the environment, or a person.

        An agent has no address of its own: it must not pass for the person it works for.
        """
        agent = self.env.get("BATON_AGENT")
        return Actor(agent_name(agent, field="BATON_AGENT")) if agent else self.person

    def claimant(self, *, agent: str | None = None, capabilities: Iterable[str] = ()) -> Claimant:
        """Return who claims: ``agent``, else BATON_AGENT, else the git user on this machine."""
        from gitbaton.tasks.claims import Claimant

        name = agent or self.env.get("BATON_AGENT") or f"{self.person.name}@{self.machine}"
        platform_words = {_CAPABILITIES[sys.platform]} if sys.platform in _CAPABILITIES else set()
        return Claimant(
            agent=agent_name(name),
            worker=agent_name(self.env.get("BATON_SESSION") or "cli", field="BATON_SESSION"),
            machine=self.machine,
            capabilities=frozenset(platform_words | set(capabilities)),
        )

    @cached_property
    def gatekeeper(self) -> GateKeeper:
        """Who decides whether a gate is open."""
        from gitbaton.workspace.gatekeeping import make_gatekeeper

        return make_gatekeeper(self.project, self.protection())

    @cached_property
    def project(self) -> str:
        """The name of this project that approvals are bound to, the same in every clone."""
        address = self.remote.url if self.remote is not None else self.clone.top.name
        return project_name(self.protection().config, address)

    @cached_property
    def queue(self) -> Queue:
        """The tasks."""
        from gitbaton.tasks.observations import Observer
        from gitbaton.tasks.queue import Queue
        from gitbaton.tasks.settings import QueueSettings

        wanted, protection = self.config.queue, self.protection()
        return Queue(
            self.store,
            clock=self.clock,
            rng=self.rng,
            settings=QueueSettings(
                project=self.project,
                lease=wanted.lease,
                max_attempts=wanted.max_attempts,
                backoff=wanted.backoff,
                backoff_limit=wanted.backoff_limit,
                target=protection.target,
                branch_prefix=protection.config.project.branch_prefix,
            ),
            gatekeeper=self.gatekeeper,
            observer=Observer(self.local, self.clock, self._address),
        )

    def renew_gatekeeper(self) -> None:
        """Read the protection again and let the queue use it. For what runs for long."""
        self.protection(fresh=True)
        self.__dict__.pop("gatekeeper", None)
        self.queue.gatekeeper = self.gatekeeper

    def hold(self, claimed: Claimed) -> None:
        """Keep the token of a claim made by this session in the clone."""
        claim = claimed.task.claim
        if claim is None:
            return
        self.held.keep(
            HeldClaim(
                task=claimed.token.task,
                epoch=claimed.token.epoch,
                token=str(claimed.token),
                holder=claim.agent,
                session=self.session,
                lease=claim.lease,
                seen=self.clock.elapsed(),
                origin=self.clock.origin,
            )
        )

    @property
    def _address(self) -> str:
        return self.remote.url if self.remote is not None else str(self.state)

    def _open_git_store(self) -> Store:
        """Open the engine on the git remote."""
        from gitbaton.store.gitengine import GitStore, Layout
        from gitbaton.tasks.board import TaskBoardPolicy

        assert self.remote is not None, "the git engine is chosen only where there is a remote"
        return GitStore(
            self.repository,
            self.remote,
            policy=TaskBoardPolicy(live_window=self.settings.live_window),
            clock=self.clock,
            rng=self.rng,
            layout=Layout(self.settings.namespace, f"refs/heads/{self.settings.board}"),
        )

    def close(self) -> None:
        """Release what was opened."""
        built = self.__dict__
        for name in ("store", "local", "repository"):
            if name in built:
                built[name].close()


def open_app(directory: Path, env: Mapping[str, str]) -> App:
    """Return the app for the clone that ``directory`` is in.

    A clone that ``init`` was never run in is set up as ``init`` would, without a word.
    Raises BatonError outside of a repository, InvalidInput when a choice has to be made.
    """
    clone = _find_clone(directory, env)
    settings = read_settings(clone.common / "baton")
    return init_app(directory, env)[0] if settings is None else App(clone, env, settings)


def init_app(
    directory: Path,
    env: Mapping[str, str],
    *,
    remote: str | None = None,
    sqlite: bool = False,
) -> tuple[App, bool]:
    """Set the clone up and return its app, and whether that changed anything.

    With neither ``remote`` nor ``sqlite`` an earlier choice stays; else the remote is ``origin``
    or the only one, and sqlite where there is none. Asks nothing of the network.
    """
    clone = _find_clone(directory, env)
    state = clone.common / "baton"
    before = read_settings(state)
    if before is not None and remote is None and not sqlite:
        return App(clone, env, before), False
    name = None
    if not sqlite:
        name = choose_remote(list(remote_urls(read_git_config(clone))), wanted=remote)
    settings = make_settings(
        remote=name, target=default_branch(clone, name), store=read_config(clone).store
    )
    if settings != before:
        write_settings(state, settings)
    return App(clone, env, settings), settings != before


def read_config(clone: Clone) -> Config:
    """Return the unprotected configuration of this working tree; the defaults without a file."""
    path = clone.top / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(FILE_NAME, f"{path} cannot be read: {error}") from error
    return parse_config(text, str(path))


def _find_clone(directory: Path, env: Mapping[str, str]) -> Clone:
    if not directory.is_dir():
        raise InvalidInput("-C", f"{directory} is no directory")
    return Clone.find(directory, env)


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
