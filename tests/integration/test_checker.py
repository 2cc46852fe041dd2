"""The independent checker accepts what gitbaton really writes, and sees what is broken in it."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitbaton.core.clock import SystemClock, rfc3339
from gitbaton.core.ids import Nonce, Oid, task_id
from gitbaton.git.plain import PlainRemote
from gitbaton.git.repository import Clone, CoordinationRepository
from gitbaton.store.gitengine import GitStore
from gitbaton.store.model import (
    ABSENT,
    DELETE,
    Actor,
    Branch,
    Committed,
    Delete,
    Key,
    Move,
    Rescue,
    Transaction,
    Value,
)
from gitbaton.tasks import transitions
from gitbaton.tasks.board import TaskBoardPolicy
from gitbaton.tasks.claims import Claimant
from gitbaton.tasks.model import Result, Task, encode_task, task_key
from gitbaton.tasks.reservations import PATHS_KEY, Reservation, encode_reservations
from gitbaton.tasks.settings import QueueSettings
from gitbaton.tasks.validation import decode_task
from tests.checker import Finding, Invariant, Report, check

WINDOW = 4
CLOCK = SystemClock()


@dataclass(frozen=True)
class Fleet:
    """A remote, a clone of it, and the store that a fleet shares there."""

    remote: Path
    clone: Path
    store: GitStore

    def task(self, name: str) -> Task:
        """Return a task as it stands."""
        key = task_key(name)
        return decode_task(key, self.store.read().records[key].value)

    def put(
        self,
        task: Task,
        subject: str,
        by: str = "ada",
        *,
        locks: Value | None = None,
        moves: Sequence[Move] = (),
        heartbeat: bool = False,
    ) -> None:
        """Write one task, with ``locks`` also the reserved paths, in one transaction."""
        write = {task.key: encode_task(task)}
        if locks is not None:
            write[PATHS_KEY] = locks
        self.commit(write, subject, by, moves=moves, heartbeat=heartbeat)

    def commit(
        self,
        write: Mapping[Key, Value | Delete],
        subject: str,
        by: str = "ada",
        *,
        moves: Sequence[Move] = (),
        heartbeat: bool = False,
    ) -> None:
        """Write records over what is there now."""
        records = self.store.read().records
        wish = Transaction(
            expect={key: records[key].version if key in records else ABSENT for key in write},
            write=write,
            moves=moves,
            subject=subject,
            actor=Actor(by),
            heartbeat=heartbeat,
        )
        [outcome] = self.store.commit([wish])
        assert isinstance(outcome, Committed), outcome

    def add(self, *names: str, paths: tuple[str, ...] = ()) -> None:
        """Add tasks in one transaction."""
        at = rfc3339(CLOCK.now())
        tasks = [
            Task(id=task_id(n), title=n, created_at=at, updated_at=at, paths=paths) for n in names
        ]
        self.commit({task.key: encode_task(task) for task in tasks}, f"add: {names[0]}")

    def claim(self, name: str, agent: str = "ada") -> None:
        """Claim a task, with its paths where it has any."""
        nonce = Nonce(os.urandom(16).hex())
        who = Claimant(agent, "w", "m")
        task = transitions.take(self.task(name), who, nonce=nonce, lease=900.0, now=CLOCK.now())
        entry = Reservation(task=task.id, epoch=task.epoch, paths=task.paths)
        locks = encode_reservations([entry]) if task.paths else None
        self.put(task, subject=f"claim: {name} by {agent}", by=agent, locks=locks)

    def renew(self, name: str) -> None:
        """Send a heartbeat."""
        task = transitions.renew(self.task(name), now=CLOCK.now())
        agent = task.claim.agent if task.claim else ""
        self.put(task, subject=f"renew: {name} by {agent}", by=agent, heartbeat=True)

    def work(self, name: str, base: str) -> Oid:
        """Commit something for the present claim of a task and return the commit."""
        task = self.task(name)
        _git(self.clone, "checkout", "--quiet", "--detach", base)
        (self.clone / f"{name}.txt").write_text(f"{name} in epoch {task.epoch}\n")
        _git(self.clone, "add", "--all")
        message = f"{name}\n\nBaton-Task: {name}\nBaton-Epoch: {task.epoch}"
        _git(self.clone, "commit", "--quiet", "--message", message)
        return Oid(_git(self.clone, "rev-parse", "HEAD"))

    def land(self, name: str, branch: str, old: str | None, commit: Oid) -> None:
        """Publish a result and finish."""
        task = self.task(name)
        agent = task.claim.agent if task.claim else ""
        result = Result(branch=branch, commit=commit)
        after = transitions.finish(task, result, review=False, now=CLOCK.now())
        move = Move(Branch(branch), Oid(old) if old else None, commit)
        self.put(after, subject=f"done: {name} by {agent}", by=agent, moves=[move])

    def reset(self, name: str) -> None:
        """Take a claim back."""
        now, settings = CLOCK.now(), QueueSettings(project="checker")
        ended = transitions.end_attempt(
            self.task(name), "reset", "lease ran out", by="reaper", settings=settings, now=now
        )
        self.put(ended, subject=f"reset: {name} lease ran out", by="reaper")

    def rescue(self, name: str, epoch: int, commit: Oid) -> None:
        """Keep a commit that could not land."""
        kept = Move(Rescue(name, epoch, commit), None, commit)
        self.commit({}, f"rescue: {name}", moves=[kept])


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A remote with one commit on ``main``, nothing else yet."""
    _git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    _git(tmp_path, "clone", "--quiet", "remote.git", "clone")
    clone = tmp_path / "clone"
    (clone / "README.md").write_text("hello\n")
    _git(clone, "add", "--all")
    _git(clone, "commit", "--quiet", "--message", "the beginning")
    _git(clone, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    repository = CoordinationRepository.open(Clone.find(clone, os.environ))
    store = GitStore(
        repository,
        PlainRemote(repository.git, str(tmp_path / "remote.git")),
        policy=TaskBoardPolicy(live_window=WINDOW),
        clock=CLOCK,
        rng=random.Random(7),
    )
    yield Fleet(tmp_path / "remote.git", clone, store)
    store.close()


def test_a_real_history_has_no_findings(fleet: Fleet) -> None:
    base = _git(fleet.clone, "rev-parse", "HEAD")
    fleet.add("a", "b")
    fleet.add("p", paths=("src/",))
    fleet.claim("a")
    for _ in range(3):
        fleet.renew("a")
    first = fleet.work("a", base)
    fleet.land("a", "task/a", None, first)
    fleet.claim("b", "zoe")
    zombie = fleet.work("b", base)
    fleet.reset("b")
    fleet.rescue("b", 1, zombie)
    fleet.claim("b", "ben")
    second = fleet.work("b", base)
    fleet.land("b", "main", base, second)
    fleet.claim("p")
    made = [Report(first, "a", 1), Report(zombie, "b", 1), Report(second, "b", 2)]
    assert _check(fleet, made, "p") == []
    fleet.store.tidy(force=True)
    assert not [k for k in ("a", "b") if _git(fleet.remote, "for-each-ref", f"*/tasks/{k}")]
    assert _check(fleet, made, "p") == []
    fleet.reset("p")
    fleet.claim("p", "ben")
    fleet.land("p", "main", second, fleet.work("p", second))
    fleet.put(transitions.retry(fleet.task("a"), now=CLOCK.now()), subject="retry: a")
    fleet.put(transitions.cancel(fleet.task("a"), None, now=CLOCK.now()), subject="cancel: a")
    fleet.store.tidy(force=True)
    assert _check(fleet, made) == []


def test_a_real_backlog_parked_and_staged_has_no_findings(fleet: Fleet) -> None:
    fleet.add(*(names := [f"t{number}" for number in range(12)]))
    assert len(_git(fleet.remote, "for-each-ref", "refs/baton/tasks/").splitlines()) == WINDOW
    fleet.add(*(more := ["live1", "live2", "live3", "live4"]))
    fleet.add("late")
    everything = [*names, *more, "late"]
    assert _check(fleet, [], *everything) == []
    fleet.claim("t5")
    fleet.claim("late")
    fleet.store.tidy(force=True)
    assert len(_git(fleet.remote, "for-each-ref", "refs/baton/tasks/").splitlines()) > len(more)
    assert _check(fleet, [], *everything) == []


def test_a_real_record_deleted_and_added_again_has_no_findings(fleet: Fleet) -> None:
    fleet.add("a")
    for _ in range(2):
        fleet.claim("a")
        fleet.commit({task_key("a"): DELETE}, "drop: a")
        fleet.add("a")
    assert _check(fleet, [], "a") == []


def test_violations_planted_in_a_real_history_are_seen(fleet: Fleet) -> None:
    base = _git(fleet.clone, "rev-parse", "HEAD")
    fleet.add("a")
    fleet.claim("a", "zoe")
    zombie = fleet.work("a", base)
    fleet.reset("a")
    _git(fleet.clone, "push", "--quiet", "origin", f"{zombie}:refs/heads/main")
    fleet.store.tidy(force=True)
    [landed] = _check(fleet, [Report(zombie, "a", 1)], "a")
    assert (landed.invariant, landed.subject) == (Invariant.I2, "refs/heads/main")
    _git(fleet.remote, "update-ref", "-d", "refs/baton/tasks/a")
    found = {finding.invariant for finding in _check(fleet, [], "a")}
    assert found == {Invariant.I2, Invariant.I6}


def _check(fleet: Fleet, made: list[Report], *unfinished: str) -> list[Finding]:
    return check(fleet.remote, quiescent=True, unfinished=unfinished, reported=made, one_clock=True)


def _git(directory: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=directory, check=True, capture_output=True, text=True)
    return done.stdout.strip()
