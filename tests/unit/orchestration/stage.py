"""A plan on an engine in memory or a file: orchestrators to be killed, workers that do as told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gitbaton.core.errors import BatonError
from gitbaton.core.ids import TaskId
from gitbaton.orchestration.aligning import Terms
from gitbaton.orchestration.events import PlanEvent
from gitbaton.orchestration.look import Look
from gitbaton.orchestration.orchestrator import Orchestrator, Surroundings
from gitbaton.plans.doorbell import Answer, Bell
from gitbaton.plans.model import Plan
from gitbaton.plans.registry.record import Address, WorkerRecord
from gitbaton.plans.registry.registry import Registry
from gitbaton.plans.registry.watching import Watch
from gitbaton.store.choosing import commit_in_turn
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import Actor, Change, Choice, Key, Outcome, Snapshot, Transaction
from gitbaton.store.protocol import Store, TidyReport
from gitbaton.store.sqlite import SqliteStore
from gitbaton.tasks.claims import Claimed
from gitbaton.tasks.model import Task
from tests.unit.plans.plantext import HEADER, judge, needing, phase
from tests.unit.tasks.desk import Desk, who

DIAMOND = (
    phase("top"),
    needing("left", "top"),
    needing("right", "top"),
    needing("bottom", "left", "right"),
)
ADDRESS = Address(host="rack7", path="/home/ada/shop")


class Killed(Exception):
    """The process was ended here, between two calls of the store."""


class MortalStore:
    """A store whose process is killed at call number ``dies``: before it is made, or after it."""

    def __init__(self, store: Store, dies: int | None = None, *, after: bool = False) -> None:
        self.store, self.dies, self.after = store, dies, after
        self.calls = 0

    def _live(self, call: Callable[[], Any]) -> Any:
        self.calls += 1
        fatal = self.calls == self.dies
        if fatal and not self.after:
            raise Killed
        answer = call()
        if fatal:
            raise Killed
        return answer

    def read(self, prefix: str = "") -> Snapshot:
        found: Snapshot = self._live(lambda: self.store.read(prefix))
        return found

    def recall(self, prefix: str = "") -> Snapshot | None:
        return self.store.recall(prefix)

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        outcomes: list[Outcome] = self._live(lambda: self.store.commit(transactions))
        return outcomes

    def commit_first(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        return commit_in_turn(self.commit, alternatives, count)

    def history(self, key: Key | None = None, *, limit: int | None = None) -> list[Change]:
        return self.store.history(key, limit=limit)

    def tidy(self, *, force: bool = False) -> TidyReport:
        return self.store.tidy(force=force)

    def close(self) -> None:
        self.store.close()


class Tower:
    """A ringer in memory: what was rung, and answers that a test gives."""

    def __init__(self) -> None:
        self.rung: list[Bell] = []
        self.kept: frozenset[Bell] = frozenset()
        self.waiting: list[tuple[Bell, Answer]] = []

    def ring(self, bell: Bell, address: Address) -> None:
        self.rung.append(bell)

    def keep(self, bells: frozenset[Bell]) -> None:
        self.kept = bells

    def answers(self) -> list[tuple[Bell, Answer]]:
        found, self.waiting = self.waiting, []
        return found

    def troubles(self) -> list[str]:
        return []


def plan_of(*parts: str) -> tuple[Plan, bytes]:
    """Return the plan of a file of ``parts``, and the file's bytes."""
    data = "".join((HEADER, *parts)).encode()
    plan = judge(HEADER, *parts).plan
    assert plan is not None
    return plan, data


class Show:
    """One orchestrator, what it told, and its bells."""

    def __init__(self, stage: Stage, parts: Sequence[str], store: Store, *, seed: int) -> None:
        plan, data = plan_of(*parts)
        self.events: list[PlanEvent] = []
        self.tower = Tower()
        desk = stage.desk
        around = Surroundings(
            store=store,
            queue=desk.join(store, seed=seed),
            registry=stage.registry(store),
            ringer=self.tower,
            clock=desk.clock,
            actor=Actor(f"orchestrator-{seed}"),
            terms=Terms(lease=desk.settings.lease, max_attempts=desk.settings.max_attempts),
        )
        self.orchestrator = Orchestrator(plan, data, around, self.events.append)

    def start(self) -> Look:
        """Announce, and do one round."""
        self.orchestrator.start()
        return self.orchestrator.step()

    def step(self) -> Look:
        return self.orchestrator.step()

    def told(self, *kinds: str) -> list[tuple[str, str | None]]:
        """What was told, of these kinds: kind and task."""
        return [(event.kind, event.task) for event in self.events if event.kind in kinds]


class Stage:
    """One remote in memory, and all that plans need on it."""

    def __init__(self, *, file: Path | None = None, **settings: Any) -> None:
        """Set it up; ``file``: on the sqlite engine instead."""
        self.desk = Desk(**settings)
        clock, mover = self.desk.clock, self.desk.branches
        self.store: Store = self.desk.memory
        if file is not None:
            self.store = SqliteStore(file, clock=clock, mover=mover)
        self.other = self.desk.join(self.store)

    def show(self, *parts: str, store: Store | None = None, seed: int = 1) -> Show:
        """Return an orchestrator of the plan of ``parts`` (none: the diamond)."""
        return Show(self, parts or DIAMOND, store or self.store, seed=seed)

    def registry(self, store: Store | None = None) -> Registry:
        """Return the registry, with an observer of its own."""
        clock = self.desk.clock
        watch = Watch(MemoryStore(clock=clock), clock, "remote")
        return Registry(store or self.store, clock, watch, Actor("w"))

    def enlist(self, name: str, *, rings: bool = True, **fields: Any) -> None:
        """Let a worker announce itself; ``rings``: it has an inbox."""
        record = WorkerRecord(
            name=name,
            machine=f"m-{name}",
            interval=30.0,
            address=ADDRESS if rings else None,
            **fields,
        )
        self.registry().announce(record)

    def task(self, phase: str) -> Task:
        return self.other.get(f"p.{phase}")

    def claim(self, phase: str | None = None, worker: str = "w1") -> Claimed | None:
        """Claim a phase (None: the next) as a worker would; None: none is ready."""
        ids = () if phase is None else (f"p.{phase}",)
        try:
            [claimed] = self.other.claim(who(worker, worker=worker), ids=ids)
        except BatonError:
            return None
        return claimed

    def do(self, phase: str, worker: str = "w1") -> None:
        """Claim a phase and finish it."""
        claimed = self.claim(phase, worker)
        assert claimed is not None, f"{phase} was to be ready"
        self.other.done(claimed.token)

    def landings(self) -> list[TaskId]:
        """The phases that were finished, in that order, once for each time that it happened."""
        changes = reversed(self.store.history())
        return [
            TaskId(change.key.removeprefix("tasks/"))
            for change in changes
            if change.key.startswith("tasks/") and change.subject.startswith("done:")
        ]
