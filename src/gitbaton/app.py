"""The composition root: from a directory and an environment to a working queue.

This is the only place that chooses implementations. Everything is built on first use, so a
command pays for what it needs; imports that cost time are made where they are needed.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gitbaton.core.clock import Clock, SystemClock
from gitbaton.core.config import Config, ProjectSection
from gitbaton.core.config_file import read_config
from gitbaton.core.errors import InvalidInput
from gitbaton.git.pushlog import MeteredRemote, PushLog
from gitbaton.git.repository import Clone, CoordinationRepository
from gitbaton.git.sharing import share_files
from gitbaton.workspace.held import HeldClaim, HeldClaims
from gitbaton.workspace.identity import Identity
from gitbaton.workspace.lookup import (
    ask_default_branch,
    checked_out_branch,
    known_default_branch,
    push_url,
    read_git_config,
    remote_urls,
)
from gitbaton.workspace.protection import Protection, ProtectionReader, project_name
from gitbaton.workspace.settings import (
    Settings,
    choose_remote,
    make_settings,
    read_settings,
    write_settings,
)

if TYPE_CHECKING:
    from gitbaton.core.owners import Owners
    from gitbaton.git.fast.turns import Turns
    from gitbaton.git.remote import Remote
    from gitbaton.store.protocol import Store
    from gitbaton.tasks.claims import Claimed
    from gitbaton.tasks.gates import GateKeeper
    from gitbaton.tasks.queue import Queue


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
        return read_config(self.clone.top)

    @cached_property
    def repository(self) -> CoordinationRepository:
        """The coordination repository, made on first use."""
        return CoordinationRepository.open(self.clone)

    @cached_property
    def remote(self) -> Remote | None:
        """The git remote that the clone coordinates through; None with the sqlite engine."""
        if self.settings.remote is None:
            return None
        return MeteredRemote(self._open_remote(), self.pushes)

    @cached_property
    def pushes(self) -> PushLog:
        """What this clone has pushed of late, by all of its processes."""
        return PushLog(self.state / "pushes", self.clock)

    @cached_property
    def local(self) -> Store:
        """What is private to this clone: stored tokens, sights, the outbox."""
        from gitbaton.store.sqlite import SqliteStore

        return SqliteStore(self.state / "local.sqlite", clock=self.clock)

    @cached_property
    def owners(self) -> Owners:
        """The processes that own something in this clone."""
        from gitbaton.core.owners import Owners

        return Owners(self.state / "owners", self.clock.origin)

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

    @cached_property
    def default_branch(self) -> str:
        """The branch that the remote calls its own; without a remote, see ``init_app``.

        A remote that has no commit yet has none: then the branch that is checked out here.
        Raises RemoteUnreachable, HostRefused.
        """
        if self.settings.target is not None:
            return self.settings.target
        named = ask_default_branch(self.repository.git, self._push_url)
        if named is None:
            return checked_out_branch(self.clone)
        write_settings(self.state, msgspec.structs.replace(self.settings, target=named))
        return named

    def protection(self, *, fresh: bool = False) -> Protection:
        """Return what protects people, from the remote's target branch (``fresh``: asked now)."""
        return self._protection.read(fresh=fresh)

    @property
    def last_known_target(self) -> str:
        """The target branch as it was when the remote was last asked. Asks nothing."""
        remembered = self._protection.recall() if self.settings.target else None
        return remembered.target if remembered else self.settings.target or "main"

    @property
    def last_known_prefix(self) -> str:
        """The prefix of the branches of tasks, likewise. Asks nothing."""
        remembered = self._protection.recall() if self.settings.target else None
        project = remembered.config.project if remembered else ProjectSection()
        return project.branch_prefix

    @cached_property
    def _protection(self) -> ProtectionReader:
        return ProtectionReader(
            self.repository,
            self.remote,
            default=self.default_branch,
            local=self.local,
            clock=self.clock,
        )

    @cached_property
    def identity(self) -> Identity:
        """Who runs this command."""
        return Identity(self.env, self.git_config, self.clock.origin)

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
                lease=float(wanted.lease),
                max_attempts=wanted.max_attempts,
                backoff=float(wanted.backoff),
                backoff_limit=float(wanted.backoff_limit),
                target=protection.target,
                branch_prefix=protection.config.project.branch_prefix,
            ),
            gatekeeper=self.gatekeeper,
            refresh_gatekeeper=self.fresh_gatekeeper,
            observer=Observer(self.local, self.clock, self._address),
        )

    def fresh_gatekeeper(self) -> GateKeeper:
        """Ask for the protection now, and return who decides by it from here on.

        Raises RemoteUnreachable, HostRefused.
        """
        from gitbaton.workspace.gatekeeping import make_gatekeeper

        self.gatekeeper = make_gatekeeper(self.project, self.protection(fresh=True))
        return self.gatekeeper

    def renew_gatekeeper(self) -> None:
        """Read the protection again and let the queue use it. For what runs for long."""
        self.queue.gatekeeper = self.fresh_gatekeeper()

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
                session=self.identity.session,
                lease=claim.lease,
                seen=self.clock.elapsed(),
                origin=self.clock.origin,
            )
        )

    @property
    def _address(self) -> str:
        return self.remote.url if self.remote is not None else str(self.state)

    @cached_property
    def _push_url(self) -> str:
        assert self.settings.remote is not None, "asked for only where there is a remote"
        return push_url(self.clone, self.settings.remote)

    def _open_remote(self) -> Remote:
        """Return the transport that is configured."""
        url = self._push_url
        if self.config.store.transport == "plain":
            from gitbaton.git.plain import PlainRemote

            return PlainRemote(self.repository.git, url)
        from gitbaton.git.fast.choosing import open_remote

        return open_remote(self.repository, url)

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
            open_turns=self._open_turns,
        )

    def _open_turns(self) -> Turns | None:
        """Return the turns at the upkeep of a remote that is a directory of this machine."""
        from gitbaton.git.fast.turns import Turns
        from gitbaton.git.locks import find_repository

        place = find_repository(self._push_url, self.clone.top)
        return None if place is None else Turns(place / "objects")

    def close(self) -> None:
        """Release what was opened."""
        built = self.__dict__
        for name in ("store", "local", "remote", "repository", "owners"):
            if built.get(name) is not None:
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
    target = checked_out_branch(clone) if name is None else known_default_branch(clone, name)
    settings = make_settings(remote=name, target=target, store=read_config(clone.top).store)
    if before is not None and settings.target is None and settings.remote == before.remote:
        settings = msgspec.structs.replace(settings, target=before.target)
    if settings != before:
        if before is not None and before.remote is not None and settings.remote != before.remote:
            # Another remote has another board, or none: it was not set back. Before the choice is
            # written: who is killed in between has forgotten what the next look shows again.
            CoordinationRepository.open(clone).forget_seen()
        write_settings(state, settings)
    return App(clone, env, settings), settings != before


def _find_clone(directory: Path, env: Mapping[str, str]) -> Clone:
    if not directory.is_dir():
        raise InvalidInput(
            "-C",
            f"{directory} is no directory",
            next="baton -C DIR, with a directory that is there",
        )
    clone = Clone.find(directory, env)
    share_files(clone.git, clone.common)
    return clone
