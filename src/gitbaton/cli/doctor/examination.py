"""One visit of the doctor: everything is looked at, whatever else does not work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from gitbaton.app import App
from gitbaton.cli.doctor.agent import examine_agent
from gitbaton.cli.doctor.finding import Finding, Level, failed, note, ok, warning
from gitbaton.cli.doctor.fleet import examine_capabilities, examine_load, examine_waiting
from gitbaton.cli.doctor.hooks import examine_hooks
from gitbaton.cli.doctor.host import judge_host, refuses_everything
from gitbaton.cli.doctor.locks import examine_locks, examine_own_locks
from gitbaton.cli.doctor.machine import examine_disk, examine_machine, examine_ssh
from gitbaton.cli.doctor.moves import examine_moves
from gitbaton.cli.doctor.place import (
    examine_clone,
    examine_config,
    examine_databases,
    examine_engine,
    examine_transport,
)
from gitbaton.cli.doctor.project import examine_protection
from gitbaton.cli.doctor.records import examine_cards, examine_records, layout_of, look_at_remote
from gitbaton.cli.doctor.remains import examine_outbox, examine_rescues, examine_worktrees
from gitbaton.core.errors import BatonError, HostRefused
from gitbaton.git.disposable import Disposables, is_disposable, remove_refs
from gitbaton.git.objects import Person
from gitbaton.git.probe import HostProbe, Names
from gitbaton.git.remote import Remote
from gitbaton.store.gitengine.state import State
from gitbaton.store.model import Actor
from gitbaton.tasks.budget import PushBudget
from gitbaton.tasks.view import View
from gitbaton.workshop import Workshop
from gitbaton.workspace.lookup import push_url
from gitbaton.workspace.sightings import Sightings

_OLD: Final = 86400.0  # seconds for which the disposable refs of another doctor are left alone


class Examination:
    """Collects findings. ``told`` hears what is going on, for people who wait."""

    def __init__(
        self,
        env: Mapping[str, str],
        opened: Callable[[], App],
        *,
        agent: str | None,
        probing: bool,
        told: Callable[[str], None],
    ) -> None:
        self._env = env
        self._opened = opened
        self._agent = agent
        self._probing = probing
        self._told = told
        self.findings: list[Finding] = []
        self.host: dict[str, Any] = {}
        self.refused = False  # the host lets nothing be read, or nothing be written

    def run(self) -> None:
        """Look at everything. Raises nothing that can be told as a finding."""
        self._look("python", lambda: examine_machine(self._env))
        app = self._open()
        if app is not None:
            self._examine_clone(app)
        if self._agent is not None:
            self._examine_agent(app, self._agent)

    @property
    def sound(self) -> bool:
        """Whether no problem was found."""
        return all(finding.level is not Level.PROBLEM for finding in self.findings)

    def _open(self) -> App | None:
        opened: App | None = self._try("clone", self._opened)
        return opened

    def _examine_clone(self, app: App) -> None:
        workshop = Workshop(app, lambda _: None)
        self._look("clone", lambda: examine_clone(app))
        self._look("locks", lambda: examine_own_locks(app.clone.common, app.repository.path))
        self._look("commits", lambda: examine_moves(app))
        self._look("config", lambda: examine_config(app))
        self._look("engine", lambda: examine_engine(app))
        self._look("disk", lambda: examine_disk(app.state, workshop.place))
        self._look("database", lambda: examine_databases(app))
        on_git = app.settings.engine == "git"
        reachable = self._reach(app) if on_git else True
        state: State | None = None
        if on_git and reachable:
            state = self._try("records", lambda: look_at_remote(app))
        view = self._try("records", lambda: app.queue.view()) if reachable else None
        if view is not None:
            self._examine_tasks(app, view, state)
        if reachable:
            self._look("config", lambda: examine_protection(app, view))
        refs = None if state is None else state.refs
        self._look("outbox", lambda: examine_outbox(app, workshop))
        if on_git:
            self._look("rescues", lambda: examine_rescues(workshop, refs, layout_of(app)))
        self._look("worktrees", lambda: examine_worktrees(app, workshop))
        self._look("hooks", lambda: examine_hooks(app))

    def _examine_tasks(self, app: App, view: View, state: State | None) -> None:
        tasks = list(view.tasks.values())
        own = app.identity.claimant().capabilities
        self._look("records", lambda: examine_records(view, state, app))
        if state is not None:
            objects = app.repository.objects
            self._look("records", lambda: examine_cards(state, objects, app))
            budget = PushBudget(app.config.work.pushes_per_minute)
            self._look("lease", lambda: examine_load(tasks, app.config.queue.lease, budget))
        self._look("capabilities", lambda: examine_capabilities(tasks, own))
        self._look("tasks", lambda: examine_waiting(tasks, app.clock.now()))

    def _examine_agent(self, app: App | None, wanted: str) -> None:
        custom = self._try("config", Workshop(app, lambda _: None).profiles) if app else {}
        self._look("agent", lambda: examine_agent(wanted, custom or {}, self._env))

    # --- the host

    def _reach(self, app: App) -> bool:
        """See whether the remote answers, and what it allows; return the former."""
        self.host = {"remote": app.settings.remote, "url": None, "reachable": False}
        remote: Remote | None = self._try("host", lambda: app.remote)
        if remote is None:
            return False
        url = push_url(app.clone, str(app.settings.remote))
        self.host["url"] = remote.url
        self._look("ssh", lambda: examine_ssh(url, self._env))
        self._look("locks", lambda: examine_locks(url, app.clone.top, app.repository.path))
        self._told(f"asking {remote.url}")
        try:
            remote.list([app.settings.namespace])
        except BatonError as error:
            self.refused = isinstance(error, HostRefused)
            self._fail("host", error)
            return False
        self.host["reachable"] = True
        self.findings.append(ok("host", f"{remote.url} answers"))
        self._look("transport", lambda: examine_transport(app, remote))
        text = "two machines' clocks are never compared, so none has to be right"
        self.findings.append(ok("clock", text, detail=True))
        if self._probing:
            self._look("host", lambda: self._probe(app, remote))
        return True

    def _probe(self, app: App, remote: Remote) -> Iterator[Finding]:
        names = Names(
            app.settings.namespace,
            f"refs/heads/{app.settings.board}",
            app.protection().config.project.branch_prefix,
        )
        yield from _sweep(app, remote, names)
        actor = Actor("baton doctor")
        author = Person(actor.name, actor.email, int(time.time()))
        bench = Disposables(remote, app.repository.objects, author=author)
        probe = HostProbe(bench, app.repository.objects, names, told=self._told)
        found = probe.run()
        self.host |= {ability: verdict.holds for ability, verdict in found.items()}
        self.refused = refuses_everything(found)
        yield from judge_host(names, found, probe.left)

    # --- one look at a time

    def _look(self, subject: str, look: Callable[[], Iterable[Finding]]) -> None:
        """Collect what ``look`` finds; what it cannot look at is a finding as well."""
        try:
            for finding in look():  # one by one: what was found before it fails stays
                self.findings.append(finding)
        except BatonError as error:
            self._fail(subject, error)

    def _try(self, subject: str, ask: Callable[[], Any]) -> Any:
        """Return what ``ask`` does, None if it fails: that is a finding."""
        try:
            return ask()
        except BatonError as error:
            self._fail(subject, error)
            return None

    def _fail(self, subject: str, error: BatonError) -> None:
        """Tell ``error``, once: one cause may keep many things from being looked at."""
        if all(error.message not in finding.text for finding in self.findings):
            self.findings.append(failed(subject, error))


def _sweep(app: App, remote: Remote, names: Names) -> Iterator[Finding]:
    """Remove what doctors that were cut off left on the remote, once it has been there a day.

    A younger one may belong to a doctor who is at work now.
    """
    prefixes = [
        f"{names.namespace}probe/",
        f"refs/heads/{names.branch_prefix}_probe-",
        f"{names.board}_probe-",
    ]
    there = {r: oid for r, oid in remote.list(prefixes).refs.items() if is_disposable(r)}
    ages = Sightings(app.local, app.clock, "probes").look(there)
    old = {ref: there[ref] for ref, age in ages.items() if age >= _OLD}
    left = remove_refs(remote, old)
    if len(old) > len(left):
        yield ok("host", f"{len(old) - len(left)} refs of a doctor that was cut off were removed")
    for ref in left:
        yield warning("host", f"{ref}, of an earlier doctor, cannot be deleted")
    if len(there) > len(old):
        yield note(
            "host",
            f"{len(there) - len(old)} refs of another doctor are there; what stays for a day, the "
            "next doctor here removes",
        )
