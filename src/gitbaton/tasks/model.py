"""The task as it is kept in its record, and the values around it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from gitbaton.core.ids import TaskId
from gitbaton.store.model import Key, Value, make_key

COLLECTION = "tasks"
FORMAT = 1
MAX_PRIORITY = 9


class Status(StrEnum):
    """Where a task stands. The ways between are in ``tasks/machine.py``."""

    PENDING = "pending"
    IN_PROGRESS = "in-progress"
    REVIEW = "review"
    BLOCKED = "blocked"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Frozen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of all record parts: immutable, by keyword, nothing unexpected."""


class Claim(Frozen, frozen=True, kw_only=True):
    """This agent holds this task, in this epoch, until the lease runs out unrenewed."""

    agent: str
    worker: str
    machine: str
    epoch: int
    nonce: str
    claimed_at: str
    renewed_at: str
    lease: float  # seconds


class Ending(Frozen, frozen=True, kw_only=True):
    """How the last claim ended: lets its holder repeat a call whose answer was lost."""

    word: str  # the event's word in the audit trail: "done", "release", "reset" ...
    epoch: int
    nonce: str


class Approval(Frozen, frozen=True, kw_only=True):
    """A human's yes, bound to what was approved (``digest``, see ``tasks/gates.py``)."""

    by: str
    at: str
    digest: str
    commit: str | None = None
    signature: str | None = None


class Result(Frozen, frozen=True, kw_only=True):
    """What a finished task left behind."""

    branch: str | None = None
    commit: str | None = None
    text: str | None = None


class Landing(Frozen, frozen=True, kw_only=True):
    """A landing in two steps (hosts without atomic push): announced, not yet confirmed."""

    branch: str
    old: str | None
    commit: str
    review: bool = False


class Remark(Frozen, frozen=True, kw_only=True):
    """Something a person or a failed attempt tells the next attempt; part of its prompt."""

    at: str
    by: str
    kind: str  # "answer", "rejected", "failed", "reset", "question"
    text: str


class Task(Frozen, frozen=True, kw_only=True):
    """One piece of work and its whole state. Durations in seconds, times in RFC 3339."""

    id: TaskId
    title: str
    body: str = ""
    status: Status = Status.PENDING
    priority: int = 2  # 0 is highest
    needs: tuple[TaskId, ...] = ()
    requires: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    gate: str | None = None
    approval: Approval | None = None
    gate_round: int = 0  # approvals taken back so far: an approval is for one round only
    labels: tuple[str, ...] = ()
    target: str | None = None
    plan: str | None = None
    deliverable: str | None = None
    branch: str | None = None  # the branch that results are published on; None: <prefix><id>
    attempts: int = 0  # attempts that failed or were reset
    max_attempts: int = 3
    timeout: float | None = None
    created_at: str
    created_by: str = ""
    updated_at: str
    delay: float = 0.0  # back-off: not ready until seen for this long in this version
    not_before: str | None = None  # the same as a time, for people only
    epoch: int = 0  # claims so far; the fencing token of the next is one more
    claim: Claim | None = None
    ended: Ending | None = None
    landing: Landing | None = None
    result: Result | None = None
    reason: str | None = None
    remarks: tuple[Remark, ...] = ()
    external_ref: str | None = None

    @property
    def key(self) -> Key:
        """The key of this task's record."""
        return task_key(self.id)


def task_key(task: str) -> Key:
    """Return the record key of the task with this id."""
    return make_key(COLLECTION, task)


def encode_task(task: Task) -> Value:
    """Return the value kept in the store. ``validation.decode_task`` is its inverse."""
    plain: dict[str, Any] = msgspec.to_builtins(task)
    return {"format": FORMAT, **plain}
