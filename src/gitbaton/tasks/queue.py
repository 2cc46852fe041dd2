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
