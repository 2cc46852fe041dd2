"""The JSON shapes that scripts rely on: a task, a claim, an event, an obstacle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from gitbaton.tasks.claims import Claimed
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.model import Claim, Task
from gitbaton.tasks.readiness import Obstacle

if TYPE_CHECKING:
    from gitbaton.tasks.subjects import Event

_TASK = (
    "id",
    "title",
    "body",
    "status",
    "priority",
    "needs",
    "requires",
    "paths",
    "checks",
    "gate",
    "labels",
    "target",
    "plan",
    "deliverable",
    "attempts",
    "max_attempts",
    "timeout",
    "created_at",
    "updated_at",
    "not_before",
    "branch",
    "reason",
    "external_ref",
)
_CLAIM = ("agent", "worker", "machine", "epoch", "claimed_at", "renewed_at", "lease")
_EVENT = ("at", "actor", "task", "event", "epoch", "subject", "commit")


def task_document(task: Task, gatekeeper: GateKeeper) -> dict[str, Any]:
    """Return ``task`` as JSON. The secret part of a claim (its nonce) is not in it."""
    document: dict[str, Any] = {name: getattr(task, name) for name in _TASK}
    document["approved"] = is_approved(task, gatekeeper)
    document["claim"] = None if task.claim is None else claim_part(task.claim)
    document["result"] = None if task.result is None else msgspec.structs.asdict(task.result)
    return document


def is_approved(task: Task, gatekeeper: GateKeeper) -> bool:
    """Tell whether the task has an approval that holds now. False without a gate."""
    if task.gate is None:
        return False
    return gatekeeper.closed(task, task.result.commit if task.result else None) is None


def claim_part(claim: Claim) -> dict[str, Any]:
    """Return who holds a task, as JSON."""
    return {name: getattr(claim, name) for name in _CLAIM}


def claimed_document(claimed: Claimed, gatekeeper: GateKeeper) -> dict[str, Any]:
    """Return a claim just won, with its token, as JSON."""
    claim = claimed.task.claim
    return {
        "task": task_document(claimed.task, gatekeeper),
        "epoch": claimed.token.epoch,
        "token": str(claimed.token),
        "lease": None if claim is None else claim.lease,
    }


def event_document(event: Event) -> dict[str, Any]:
    """Return a transition as JSON."""
    return {name: getattr(event, name) for name in _EVENT}


def obstacle_document(obstacle: Obstacle) -> dict[str, Any]:
    """Return a reason why a task is not ready, as JSON."""
    return {
        "kind": obstacle.kind,
        "about": obstacle.about,
        "text": obstacle.text,
        "next": obstacle.next,
    }
