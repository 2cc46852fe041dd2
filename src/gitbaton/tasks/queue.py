"""The queue: every change of a task, as a compare-and-swap on the store.

CONTRACT (signatures agreed; being implemented). Every method reads, applies a pure rule and
commits; on a lost race it re-reads and decides again. Raises, besides what is named: UnknownTask,
WrongStatus, ClaimLost, RemoteUnreachable, OutcomeUnknown, HostRefused, InvalidInput.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gitbaton.core.clock import Clock
from gitbaton.core.ids import Nonce, Oid, TaskId
from gitbaton.store.model import Actor, Key, Move, Version
from gitbaton.store.protocol import Store
from gitbaton.tasks.model import Task


@dataclass(frozen=True, slots=True)
class Token:
    """The proof of a claim. Text form ``<task>:<epoch>:<nonce>``."""

    task: TaskId
    epoch: int
    nonce: Nonce

    def __str__(self) -> str: ...
    @staticmethod
    def parse(text: str) -> Token:  # InvalidInput(field="token")
        ...


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims: agent name, worker (one `baton work` process), machine, and what it can do."""

    agent: str
    worker: str
    machine: str
    capabilities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim just won."""

    task: Task
    token: Token
    version: Version


@dataclass(frozen=True, slots=True)
class View:
    """All tasks at one moment, with the versions to replace them and what is damaged."""

    tasks: Mapping[TaskId, Task]
    versions: Mapping[TaskId, Version]
    damaged: Mapping[Key, str]
    asked: float
    answered: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A task to add. ``id`` None: one is generated. Fields as in `baton add`; seconds."""

    title: str
    id: str | None = None
    body: str = ""
    priority: int = 2
    needs: Sequence[str] = ()
    requires: Sequence[str] = ()
    paths: Sequence[str] = ()
    checks: Sequence[str] = ()
    gate: str | None = None
    labels: Sequence[str] = ()
    timeout: float | None = None
    max_attempts: int | None = None
    target: str | None = None
    branch: str | None = None
    plan: str | None = None
    deliverable: str | None = None
    external_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason why a task is not ready. ``kind``: status, need, gate, capability, delay, paths,
    claim. ``about``: the id, gate, capability ... that it is about. ``text``: a sentence."""

    kind: str
    about: str
    text: str
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Reaped:
    """A claim taken back: the task as it was and as it is now (or would be: dry run)."""

    before: Task
    after: Task
    reason: str


@dataclass(frozen=True, slots=True)
class Event:
    """One transition, from the store's history. ``event``: the word before the subject's colon."""

    at: str
    actor: str
    task: str
    event: str
    epoch: int | None
    subject: str
    commit: str


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """Defaults that come from configuration. Seconds."""

    project: str  # a stable name of this repository: part of what an approval is bound to
    lease: float = 900.0
    max_attempts: int = 3
    backoff: float = 30.0  # delay after the first failed attempt; doubles, at most backoff_limit
    backoff_limit: float = 1800.0
    target: str = "main"
    branch_prefix: str = "task/"


class Queue:
    """Tasks over one store, as one observer sees them. Thread-safe."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        rng: random.Random,
        settings: QueueSettings,
        gatekeeper: GateKeeper,  # tasks/gates.py
        observer: Observer,  # tasks/observations.py: persisted sights of versions and epochs
    ) -> None: ...

    # --- reading
    def view(self) -> View: ...
    def get(self, task: str) -> Task: ...
    def ready(self, view: View, who: Claimant | None = None) -> list[Task]: ...  # in claim order
    def why(self, view: View, task: str, who: Claimant | None = None) -> list[Obstacle]: ...
    def log(self, task: str | None = None, *, limit: int | None = None) -> list[Event]: ...

    # --- adding and claiming
    def add(self, drafts: Sequence[Draft], *, actor: Actor) -> list[Task]: ...
    def claim(
        self,
        who: Claimant,
        *,
        ids: Sequence[str] = (),
        count: int = 1,
        lease: float | None = None,
        create: Draft | None = None,
    ) -> list[Claimed]: ...

    # --- by the holder
    def renew(self, tokens: Sequence[Token]) -> Mapping[Token, Task | Exception]: ...
    def check(self, token: Token) -> Claimed: ...  # ClaimLost unless the token is current
    def done(
        self,
        token: Token,
        *,
        branch: str | None = None,
        commit: Oid | None = None,
        text: str | None = None,
        review: bool = False,
        moves: Sequence[Move] = (),
    ) -> Task:
        """Publish and finish in one transaction. Raises LandingStale when a branch had moved."""
        ...

    def block(self, token: Token, reason: str) -> Task: ...
    def release(self, token: Token, reason: str = "") -> Task: ...
    def fail(self, token: Token, reason: str) -> Task: ...

    # --- by people
    def edit(self, task: str, changes: Mapping[str, object], *, actor: Actor) -> Task: ...
    def retry(self, task: str, *, force: bool, actor: Actor) -> Task: ...
    def unblock(self, task: str, answer: str | None, *, actor: Actor) -> Task: ...
    def cancel(self, task: str, reason: str | None, *, actor: Actor) -> Task: ...
    def accept(self, task: str, *, actor: Actor) -> Task: ...
    def reject(self, task: str, reason: str, *, actor: Actor) -> Task: ...
    def approve(
        self, task: str, *, actor: Actor, sign: Callable[[bytes], str] | None = None
    ) -> Task: ...
    def revoke(self, task: str, *, actor: Actor) -> Task: ...

    # --- by anybody, again and again
    def reap(self, *, dry_run: bool = False) -> list[Reaped]: ...
