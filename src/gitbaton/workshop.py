"""The second half of the composition root: a clone's worker and its parts, from an ``App``.

Apart from ``app`` because only ``work``, ``sync``, ``gc``, ``rescue`` and ``doctor`` pay for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path

from gitbaton.app import App
from gitbaton.bylaws import permit, shared_branches
from gitbaton.core.ids import Oid
from gitbaton.core.process import Process
from gitbaton.git.remote import Remote
from gitbaton.git.worktrees import Worktrees
from gitbaton.hooks.hook import secret_variables
from gitbaton.store.calls import Rider
from gitbaton.store.grouping import GroupingStore
from gitbaton.tasks.budget import PushBudget
from gitbaton.wishes import Wishes, orders_of, profiles_of
from gitbaton.work.aging import RescueAges
from gitbaton.work.archive import Archive, KeptArchive, Rescues
from gitbaton.work.checks import Commands
from gitbaton.work.chores import Upkeep
from gitbaton.work.cleaning import GRACE, Cleaner
from gitbaton.work.company import Company
from gitbaton.work.crew import Crew, Orders
from gitbaton.work.environment import agent_environment
from gitbaton.work.events import Listener, Teller
from gitbaton.work.heartbeat import Heartbeats
from gitbaton.work.job import LandJob
from gitbaton.work.landing import Lander, Stop
from gitbaton.work.outbox import Outbox
from gitbaton.work.pacing import Pace
from gitbaton.work.profiles import Profile
from gitbaton.work.program import require_program, with_baton
from gitbaton.work.reach import Reach
from gitbaton.work.reception import Reception
from gitbaton.work.rescue import Rescuer
from gitbaton.work.returning import Returner
from gitbaton.work.settling import Settler
from gitbaton.work.shift import Shift, Slot
from gitbaton.work.sync import Sync
from gitbaton.work.upstream import Upstream
from gitbaton.work.worker import Worker
from gitbaton.workspace.place import find_place

CHECK_TIMEOUT = 3600.0  # seconds for one check or set-up command


class Workshop:
    """What work is done with in one clone. Parts are built on first use."""

    def __init__(
        self,
        app: App,
        listener: Listener,
        *,
        alive: Callable[[Process], bool] | None = None,
    ) -> None:
        """Prepare. ``alive``: who may still be at what it owns here, if not as ``Owners`` says."""
        self._app = app
        self._listener = listener
        self._alive = alive or app.owners.is_alive
        self.along: list[Callable[[], Sequence[Rider]]] = []
        """What else may go along with pushes, besides renewals. Asked from any thread."""

    @cached_property
    def process(self) -> Process:
        """This process, as the owner of worktrees and outbox entries."""
        return self._app.owners.enter()

    @cached_property
    def place(self) -> Path:
        """Where worktrees and prompts are: beside the clone, outside of every repository."""
        app = self._app
        return find_place(app.clone, app.config.work.worktrees, app.git_config)

    @cached_property
    def outbox(self) -> Outbox:
        """What waits for the remote."""
        return Outbox(self._app.local, self._app.clock, self._alive)

    @cached_property
    def rescuer(self) -> Rescuer:
        """Saves work that did not land."""
        return Rescuer(self._app.repository, self._app.store, self.outbox)

    @cached_property
    def rescues(self) -> Rescues:
        """All rescues that can be seen from here, and where old ones go."""
        app = self._app
        return Rescues(app.repository, self._archive(), self.rescuer, self.outbox)

    @cached_property
    def upstream(self) -> Upstream:
        """The code branches: the remote's, or the clone's own where there is none."""
        return Upstream(self._app.repository, self.code_remote)

    @cached_property
    def lander(self) -> Lander:
        """Publishes results."""
        app = self._app
        return Lander(
            app.repository,
            app.queue,
            app.store,
            self.upstream,
            self.rescuer,
            how="rebase",
            check=self._check,
            rules=partial(shared_branches, app),
            hold=self.hearts.hold,
            clock=app.clock,
            rng=app.rng,
        )

    def settler(self) -> Settler:
        """Return what moves tasks on whose branch shows that they are further."""
        target = self._app.protection().target
        return Settler(self._app.queue, self.upstream, self.lander.move, default_target=target)

    @cached_property
    def sync(self) -> Sync:
        """Sends what waits."""
        app = self._app
        return Sync(
            app.repository,
            app.queue,
            self.lander,
            self.rescuer,
            self.outbox,
            owner=self.process,
            permit=partial(permit, app),
        )

    @cached_property
    def cleaner(self) -> Cleaner:
        """Frees what holds nothing unique."""
        app = self._app
        return Cleaner(
            repository=app.repository,
            remote=self.code_remote,
            outbox=self.outbox,
            send=self.sync.send,
            returner=Returner(
                keep=app.repository.keep,
                queue=app.queue,
                outbox=self.outbox,
                clock=app.clock,
                grace=GRACE,
            ),
            rescuer=self.rescuer,
            rescues=self.rescues,
            ages=RescueAges(app.local, app.clock),
            owner=self.process,
            alive=self._alive,
            clock=app.clock,
            worktrees=self.place / "worktrees",
            prompts=self.place / "prompts",
            logs=app.logs,
            throw_away=app.config.work.throw_away,
            rescue_age=app.config.work.rescue_age,
        )

    @cached_property
    def hearts(self) -> Heartbeats:
        """Keeps claims alive; started by whoever works."""
        return Heartbeats(self._app.queue, self._app.clock)

    @cached_property
    def company(self) -> Company:
        """The slots at work in this process."""
        app = self._app
        return Company(
            float(app.config.work.landing_window),
            scarce=lambda: not self.budget.has_room(app.pushes.count(60.0), machines=1),
        )

    @property
    def budget(self) -> PushBudget:
        """How much may be pushed."""
        return PushBudget(self._app.config.work.pushes_per_minute)

    @cached_property
    def commands(self) -> Commands:
        """Runs checks and set-up."""
        app = self._app
        return Commands(
            clock=app.clock,
            logs=app.logs,
            timeout=CHECK_TIMEOUT,
            cap=app.config.work.output_cap,
        )

    def crew(self, orders: Orders) -> Crew:
        """Return the parts that assignments share."""
        app = self._app
        return Crew(
            repository=app.repository,
            queue=app.queue,
            upstream=self.upstream,
            lander=self.lander,
            rescuer=self.rescuer,
            outbox=self.outbox,
            hearts=self.hearts,
            commands=self.commands,
            orders=orders,
            process=self.process,
            env=with_baton(self._agents_env()),
            worktrees=self.place / "worktrees",
            prompts=self.place / "prompts",
            logs=app.logs,
            clock=app.clock,
            tell=Teller(self._listener, app.clock),
            company=self.company,
            reach=Reach(app.queue.view, app.clock),
        )

    def profiles(self) -> Mapping[str, Profile]:
        """Return the configured agent profiles. Raises InvalidInput."""
        return profiles_of(self._app)

    def outfit(self, wishes: Wishes) -> tuple[Crew, Shift]:
        """Return what a worker works with, and how. Before the queue is used.

        Raises CannotWork when the agent's program is not there, and as ``orders`` does.
        """
        app = self._app
        self._share_pushes()
        orders = orders_of(app, wishes)
        require_program(orders.profile, app.env)
        machine = app.identity.machine
        return self.crew(orders), Shift(
            name=wishes.name or f"{machine}/w{os.getpid()}",
            machine=machine,
            jobs=wishes.jobs or app.config.work.jobs,
            capabilities=app.identity.claimant(capabilities=wishes.capabilities).capabilities,
            lease=wishes.lease or float(app.config.queue.lease),
            once=wishes.once,
            drain=wishes.drain,
        )

    def worker(self, crew: Crew, shift: Shift, slot: Slot, reception: Reception) -> Worker:
        """Return a worker. Its heartbeats must be running while it works."""
        app = self._app
        return Worker(
            app.queue,
            shift,
            slot,
            Upkeep(
                crew,
                app.store,
                self.sync,
                alive=self._alive,
                pace=Pace(self.budget, app.pushes.count, app.clock),
                machine=shift.machine,
                renew_protection=app.renew_gatekeeper,
            ),
            company=self.company,
            clock=app.clock,
            rng=app.rng,
            listener=self._listener,
            reception=reception,
        )

    def _share_pushes(self) -> None:
        """Let the commits of this process's threads share pushes. Before the queue is made."""
        app = self._app
        if app.remote is None:
            return
        app.store = GroupingStore(
            app.store,
            clock=app.clock,
            window=lambda waiting, waited: self.company.landing_wait(
                waiting, waited, self.hearts.spare()
            ),
            riders=lambda: [*self.hearts.riders(), *(r for ask in self.along for r in ask())],
        )

    def _agents_env(self) -> dict[str, str]:
        """Return the environment without what only hooks need to know."""
        app = self._app
        secrets = secret_variables(app.config.hooks)
        return {name: value for name, value in app.env.items() if name not in secrets}

    @property
    def code_remote(self) -> Remote:
        """Where the code branches are: the remote, or the clone itself where there is none."""
        if self._app.remote is not None:
            return self._app.remote
        from gitbaton.git.plain import PlainRemote

        return PlainRemote(self._app.repository.git, str(self._app.clone.common))

    def _archive(self) -> Archive:
        app = self._app
        if app.remote is None:
            return KeptArchive(app.repository, app.clock)
        from gitbaton.store.gitengine.archive import GitArchive
        from gitbaton.store.gitengine.layout import Layout

        layout = Layout(app.settings.namespace, f"refs/heads/{app.settings.board}")
        return GitArchive(app.repository, app.remote, layout, app.clock)

    def _check(self, job: LandJob, commit: Oid, should_stop: Stop) -> str | None:
        """Run the checks of ``job`` on ``commit`` in a worktree of its own (I9)."""
        proof = job.proof
        with Worktrees(self._app.repository).scratch(commit) as git:
            env = agent_environment(
                self._agents_env(),
                task=proof.task,
                token="",
                epoch=proof.epoch,
                agent=job.agent,
                worktree=git.directory,
                prompt_file=self.place / "prompts" / f"{proof.task}-e{proof.epoch}.md",
                slot=0,
                port_base=self._app.config.work.port_base,
                mark=proof.nonce,
            )
            return self.commands.run(
                (*job.setup, *job.checks),
                name=f"{proof.task}-e{proof.epoch}.landing",
                cwd=git.directory,
                env=env,
                field="check",
                should_stop=should_stop,
            )
