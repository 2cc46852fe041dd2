"""A queue over the memory engine with a clock that is moved by hand, and quick ways to tasks."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gitbaton.core.clock import ManualClock
from gitbaton.core.ids import Oid, TaskId
from gitbaton.store.choosing import commit_in_turn
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import (
    Actor,
    Change,
    Choice,
    Key,
    Move,
    Outcome,
    Record,
    Snapshot,
    Target,
    Transaction,
    Value,
    Version,
)
from gitbaton.store.protocol import Store, TidyReport
from gitbaton.tasks.claims import Claimant
from gitbaton.tasks.drafts import Draft
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.leases import Sight
from gitbaton.tasks.model import Task, encode_task
from gitbaton.tasks.observations import Observer
from gitbaton.tasks.queue import Queue
from gitbaton.tasks.settings import QueueSettings
from gitbaton.tasks.validation import convert_task
from gitbaton.tasks.view import View, read_tasks

AT = "2026-01-01T00:00:00Z"
NONCE = "0123456789abcdef" * 2
OID = Oid("a" * 40)
ANN = Actor("ann")
PROJECT = "project-1"


def task(id: str = "t", **fields: Any) -> Task:
    """Return a pending task with these fields."""
    return convert_task({"id": id, "title": id, "created_at": AT, "updated_at": AT, **fields})


def claimed(id: str = "t", *, epoch: int = 1, agent: str = "bob", **fields: Any) -> Task:
    """Return a task that ``agent`` has in progress."""
    claim = {
        "agent": agent,
        "worker": "w1",
        "machine": "m1",
        "epoch": epoch,
        "nonce": NONCE,
        "claimed_at": AT,
        "renewed_at": AT,
        "lease": 900.0,
    }
    return task(id, **{"status": "in-progress", "epoch": epoch, "claim": claim, **fields})


def snapshot_of(
    *tasks: Task, parked: Sequence[Task] = (), damaged: Mapping[Key, str] | None = None
) -> Snapshot:
    """Return a snapshot of these tasks, those that are ``parked`` apart from the live ones."""
    live = {t.key: Record(Version(f"v-{t.id}"), encode_task(t)) for t in tasks}
    rest = {t.key: Record(Version(f"v-{t.id}"), encode_task(t)) for t in parked}
    return Snapshot({**live, **rest}, live, damaged or {})


def view_of(
    *tasks: Task,
    parked: Sequence[Task] = (),
    damaged: Mapping[Key, str] | None = None,
    sights: Mapping[str, Sight] | None = None,
) -> View:
    """Return a view of these tasks."""
    view = read_tasks(snapshot_of(*tasks, parked=parked, damaged=damaged))
    return replace(view, sights={TaskId(id): sight for id, sight in (sights or {}).items()})


def who(name: str = "bob", *capabilities: str, worker: str = "w1") -> Claimant:
    """Return a claimant."""
    return Claimant(name, worker, "m1", frozenset(capabilities))


class FakeBranches:
    """Branches in memory: a mover for the memory engine."""

    def __init__(self) -> None:
        self.tips: dict[Target, Oid] = {}

    def move(self, moves: Sequence[Move]) -> Mapping[Target, Oid | None]:
        wrong = {m.target: self.tips.get(m.target) for m in moves if self._stale(m)}
        if not wrong:
            self.tips.update({m.target: m.new for m in moves})
        return wrong

    def _stale(self, move: Move) -> bool:
        return self.tips.get(move.target) not in (move.old, move.new)


class Meddler:
    """A store on which somebody else acts at chosen moments, or which answers otherwise.

    ``after_read``, ``before_commit`` and ``after_commit`` are called once, at the next read or
    commit; ``instead`` answers the next commit. ``reads`` and ``firsts`` count the looks and the
    calls of ``commit_first``; ``commits`` has what was tried, alternatives one by one. While it is
    ``forgetful`` it recalls nothing.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.after_read: Callable[[], object] | None = None
        self.before_commit: Callable[[], object] | None = None
        self.after_commit: Callable[[], object] | None = None
        self.instead: Callable[[Sequence[Transaction]], list[Outcome]] | None = None
        self.commits: list[list[Transaction]] = []
        self.forgetful = False
        self.reads = 0
        self.firsts = 0

    def read(self, prefix: str = "") -> Snapshot:
        self.reads += 1
        snapshot = self.store.read(prefix)
        act, self.after_read = self.after_read, None
        if act is not None:
            act()
        return snapshot

    def recall(self, prefix: str = "") -> Snapshot | None:
        return None if self.forgetful else self.store.recall(prefix)

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        act, self.before_commit = self.before_commit, None
        if act is not None:
            act()
        self.commits.append(list(transactions))
        answer, self.instead = self.instead, None
        outcomes = answer(transactions) if answer else self.store.commit(transactions)
        then, self.after_commit = self.after_commit, None
        if then is not None:
            then()
        return outcomes

    def commit_first(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        self.firsts += 1
        return commit_in_turn(self.commit, alternatives, count)

    def history(self, key: Key | None = None, *, limit: int | None = None) -> list[Change]:
        return self.store.history(key, limit=limit)

    def tidy(self, *, force: bool = False) -> TidyReport:
        return self.store.tidy(force=force)

    def close(self) -> None:
        self.store.close()


class Desk:
    """One remote in memory, one machine, as many queues on it as a test wants.

    ``rules``, where set, are the protected configuration as it is now: what a queue learns when
    it asks. ``asked`` counts how often one did.
    """

    def __init__(self, *, gatekeeper: GateKeeper | None = None, **settings: Any) -> None:
        self.clock = ManualClock()
        self.branches = FakeBranches()
        self.memory = MemoryStore(clock=self.clock, mover=self.branches)
        self.store = Meddler(self.memory)
        self.gatekeeper = gatekeeper or GateKeeper(project=PROJECT)
        self.settings = QueueSettings(PROJECT, **settings)
        self.rules: Callable[[], GateKeeper] | None = None
        self.asked = 0
        self.queue = self.join(self.store)
        self.other = self.join(self.memory)

    def join(self, store: Store, *, seed: int = 0) -> Queue:
        """Return another queue, with an observer of its own."""
        local = MemoryStore(clock=self.clock)
        return Queue(
            store,
            clock=self.clock,
            rng=random.Random(seed),
            settings=self.settings,
            gatekeeper=self.gatekeeper,
            observer=Observer(local, self.clock, "remote"),
            refresh_gatekeeper=self._refresh,
        )

    def _refresh(self) -> GateKeeper:
        self.asked += 1
        return self.gatekeeper if self.rules is None else self.rules()

    def add(self, id: str, **fields: Any) -> Task:
        [added] = self.queue.add([Draft(title=f"do {id}", id=id, **fields)], actor=ANN)
        return added

    def put(self, key: Key, value: Value) -> None:
        """Write a record as a broken or hostile client would: whatever is there."""
        from gitbaton.store.model import ABSENT, Committed

        found = self.memory.read(key).records.get(key)
        change = Transaction(
            expect={key: ABSENT if found is None else found.version},
            write={key: value},
            subject="hostile: write",
            actor=Actor("mallory"),
        )
        [outcome] = self.memory.commit([change])
        assert isinstance(outcome, Committed)
