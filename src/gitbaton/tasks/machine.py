"""The state machine of a task: one table, the function that applies it, the picture of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import msgspec

from gitbaton.core.clock import rfc3339
from gitbaton.core.errors import WrongStatus
from gitbaton.tasks.model import Ending, Status, Task


class Verb(StrEnum):
    """What can be done to a task. Most are also the first word of the audit line."""

    CLAIM = "claim"
    RENEW = "renew"
    ANNOUNCE = "announce"  # a landing in two steps, on a host without atomic push
    DONE = "done"
    SUBMIT = "submit"  # done --review
    BLOCK = "block"
    RELEASE = "release"
    FAIL = "fail"  # the attempt failed, another one follows
    RESET = "reset"  # the claim was taken back by the reaper, another attempt follows
    EXHAUST = "exhaust"  # failed or reset, and it was the last attempt
    CANCEL = "cancel"
    RETRY = "retry"
    UNBLOCK = "unblock"
    ACCEPT = "accept"
    REJECT = "reject"
    EDIT = "edit"
    APPROVE = "approve"
    REVOKE = "revoke"


_S, _V = Status, Verb

TABLE: Final[Mapping[tuple[Status, Verb], Status]] = MappingProxyType(
    {
        (_S.PENDING, _V.CLAIM): _S.IN_PROGRESS,
        (_S.PENDING, _V.CANCEL): _S.CANCELLED,
        (_S.PENDING, _V.EDIT): _S.PENDING,
        (_S.PENDING, _V.APPROVE): _S.PENDING,
        (_S.PENDING, _V.REVOKE): _S.PENDING,
        (_S.IN_PROGRESS, _V.RENEW): _S.IN_PROGRESS,
        (_S.IN_PROGRESS, _V.ANNOUNCE): _S.IN_PROGRESS,
        (_S.IN_PROGRESS, _V.DONE): _S.DONE,
        (_S.IN_PROGRESS, _V.SUBMIT): _S.REVIEW,
        (_S.IN_PROGRESS, _V.BLOCK): _S.BLOCKED,
        (_S.IN_PROGRESS, _V.RELEASE): _S.PENDING,
        (_S.IN_PROGRESS, _V.FAIL): _S.PENDING,
        (_S.IN_PROGRESS, _V.RESET): _S.PENDING,
        (_S.IN_PROGRESS, _V.EXHAUST): _S.FAILED,
        (_S.IN_PROGRESS, _V.CANCEL): _S.CANCELLED,
        (_S.IN_PROGRESS, _V.EDIT): _S.IN_PROGRESS,
        (_S.IN_PROGRESS, _V.APPROVE): _S.IN_PROGRESS,
        (_S.IN_PROGRESS, _V.REVOKE): _S.IN_PROGRESS,
        (_S.REVIEW, _V.ACCEPT): _S.DONE,
        (_S.REVIEW, _V.REJECT): _S.PENDING,
        (_S.REVIEW, _V.CANCEL): _S.CANCELLED,
        (_S.REVIEW, _V.EDIT): _S.REVIEW,
        (_S.REVIEW, _V.APPROVE): _S.REVIEW,
        (_S.REVIEW, _V.REVOKE): _S.REVIEW,
        (_S.BLOCKED, _V.UNBLOCK): _S.PENDING,
        (_S.BLOCKED, _V.CANCEL): _S.CANCELLED,
        (_S.BLOCKED, _V.EDIT): _S.BLOCKED,
        (_S.BLOCKED, _V.APPROVE): _S.BLOCKED,
        (_S.BLOCKED, _V.REVOKE): _S.BLOCKED,
        (_S.DONE, _V.RETRY): _S.PENDING,
        (_S.FAILED, _V.RETRY): _S.PENDING,
        (_S.FAILED, _V.CANCEL): _S.CANCELLED,
        (_S.FAILED, _V.EDIT): _S.FAILED,
        (_S.CANCELLED, _V.RETRY): _S.PENDING,
    }
)

OPEN: Final = frozenset({_S.PENDING, _S.IN_PROGRESS, _S.REVIEW, _S.BLOCKED})
FINISHED: Final = frozenset(_S) - OPEN

_ONWARD: Final[Mapping[Status, str]] = MappingProxyType(
    {
        _S.PENDING: "baton why {}",
        _S.IN_PROGRESS: "baton show {}",
        _S.REVIEW: "baton accept {}",
        _S.BLOCKED: "baton unblock {}",
        _S.DONE: "baton retry {}",
        _S.FAILED: "baton retry {}",
        _S.CANCELLED: "baton retry {}",
    }
)


def next_command(task: Task) -> str:
    """Return the command that people most likely want for a task in this status."""
    return _ONWARD[task.status].format(task.id)


def advance(
    task: Task, verb: Verb, *, now: datetime, word: str | None = None, **changes: Any
) -> Task:
    """Return ``task`` after ``verb``, with ``changes`` to its other fields.

    A claim that ends by it is dropped and remembered in ``ended`` under ``word`` (the verb's own
    where not given). Raises WrongStatus when the table has no such row.
    """
    status = TABLE.get((task.status, verb))
    if status is None:
        raise WrongStatus(task.id, task.status, word or verb, next=next_command(task))
    if task.claim is not None and status is not Status.IN_PROGRESS:
        ended = Ending(word=word or verb, epoch=task.claim.epoch, nonce=task.claim.nonce)
        changes |= {"claim": None, "landing": None, "ended": ended}
    elif status is not task.status and status in (Status.PENDING, Status.IN_PROGRESS):
        changes |= {"ended": None}
    return msgspec.structs.replace(task, status=status, updated_at=rfc3339(now), **changes)


def mermaid() -> str:
    """Return the table as a mermaid state diagram, verbs between the same two states joined."""
    arrows: dict[tuple[Status, Status], list[Verb]] = {}
    for (before, verb), after in TABLE.items():
        if before is not after:
            arrows.setdefault((before, after), []).append(verb)
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{status}" as {_name(status)}' for status in Status]
    lines.append(f"    [*] --> {_name(Status.PENDING)}: add")
    for (before, after), verbs in arrows.items():
        lines.append(f"    {_name(before)} --> {_name(after)}: {', '.join(verbs)}")
    return "\n".join(lines) + "\n"


def _name(status: Status) -> str:
    return status.replace("-", "_")
