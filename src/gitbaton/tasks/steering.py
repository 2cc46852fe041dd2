"""What people decide about tasks: edit, retry, unblock, cancel, accept, reject, approve, revoke."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitbaton.core.clock import rfc3339
from gitbaton.core.errors import GateClosed, Refused
from gitbaton.core.ids import agent_name
from gitbaton.store.model import Actor, Version
from gitbaton.tasks import subjects, transitions
from gitbaton.tasks.adding import check_new
from gitbaton.tasks.drafts import revise
from gitbaton.tasks.gates import GateKeeper, digest, payload
from gitbaton.tasks.ledger import Ledger, Step
from gitbaton.tasks.machine import Verb, advance
from gitbaton.tasks.model import Approval, Status, Task
from gitbaton.tasks.validation import reason as checked_reason
from gitbaton.tasks.view import View


def edit(
    ledger: Ledger,
    id: str,
    changes: Mapping[str, object],
    actor: Actor,
    *,
    seen: Version | None = None,
) -> Task:
    """Change fields; an approval of what was changed is void by itself.

    Who may not open the task's gate may not take it away either. ``seen``: only while the task is
    still at this version. Raises InvalidInput, GateClosed, Refused (``changed``).
    """
    ask = ledger.ask_gatekeeper()

    def decide(view: View, task: Task) -> Step | None:
        if seen is not None and view.versions[task.id] != seen:
            raise Refused(
                f"task {task.id!r} has changed meanwhile", code="changed", next=f"baton show {id}"
            )
        fields = revise(task, changes)
        after = advance(task, Verb.EDIT, now=ledger.now(), **fields)
        if all(getattr(task, name) == value for name, value in fields.items()):
            return None
        if task.status is Status.IN_PROGRESS and after.paths != task.paths:
            raise Refused(
                f"task {task.id!r} is in progress: its paths are reserved as they are",
                next=f"baton why {task.id}",
            )
        if task.gate is not None and after.gate != task.gate:
            ask().admit(task.gate, actor.name)
        if after.needs != task.needs:
            check_new(view, [after])
        return Step(after, subjects.by_person("edit", task.id, ", ".join(sorted(fields))), actor)

    return ledger.change(id, decide)


def retry(ledger: Ledger, id: str, actor: Actor, *, force: bool) -> Task:
    """Do a finished task again. Refused, unless forced, while a task that needs it is worked on."""

    def decide(view: View, task: Task) -> Step:
        after = transitions.retry(task, now=ledger.now())
        users = [
            other.id
            for other in view.live.values()
            if other.status is Status.IN_PROGRESS and task.id in other.needs
        ]
        if users and not force:
            raise Refused(
                f"{', '.join(sorted(users))} in progress and built on {task.id!r}",
                next=f"baton retry --force {task.id}",
            )
        return Step(after, subjects.by_person("retry", task.id), actor)

    return ledger.change(id, decide)


def unblock(ledger: Ledger, id: str, answer: str | None, actor: Actor) -> Task:
    """Answer a blocked task's question; it is pending again."""
    return _steer(
        ledger,
        id,
        actor,
        "unblock",
        answer,
        lambda t: transitions.unblock(t, answer, by=_name(actor), now=ledger.now()),
    )


def cancel(ledger: Ledger, id: str, reason: str | None, actor: Actor) -> Task:
    """Call a task off, also one in progress."""
    return _steer(
        ledger,
        id,
        actor,
        "cancel",
        reason,
        lambda t: transitions.cancel(t, reason, now=ledger.now()),
    )


def accept(ledger: Ledger, id: str, actor: Actor) -> Task:
    """Take a result that is in review. Raises GateClosed while the task's gate is closed."""
    ask = ledger.ask_gatekeeper()

    def rule(task: Task) -> Task:
        after = transitions.accept(task, now=ledger.now())
        if task.gate is not None:
            why = ask().closed(task, task.result.commit if task.result else None)
            if why is not None:
                raise GateClosed(why, next=f"baton approve {task.id}")
        return after

    return _steer(ledger, id, actor, "accept", None, rule)


def reject(ledger: Ledger, id: str, reason: str, actor: Actor) -> Task:
    """Send a result that is in review back, with the reason for the next attempt."""
    why = checked_reason(reason)
    return _steer(
        ledger,
        id,
        actor,
        "reject",
        why,
        lambda t: transitions.reject(t, why, by=_name(actor), now=ledger.now()),
    )


def approve(ledger: Ledger, id: str, actor: Actor, sign: Callable[[bytes], str] | None) -> Task:
    """Open a task's gate for what the task says now (and the commit, when it is in review).

    ``sign`` returns the signature of the bytes it is given; needed where the project has signers.
    Raises GateClosed when this person may not, or the signature does not hold.
    """
    person = agent_name(actor.name, field="actor")
    ask = ledger.ask_gatekeeper()

    def rule(task: Task) -> Task:
        if task.gate is None:
            raise Refused(f"task {task.id!r} has no gate", next=f"baton show {task.id}")
        keeper = ask()
        keeper.admit(task.gate, person)
        approval = _approval(keeper, task, person, sign, at=rfc3339(ledger.now()))
        after = transitions.approve(task, approval, now=ledger.now())
        why = keeper.closed(after, after.approval.commit if after.approval else None)
        if why is not None:
            raise GateClosed(why, next="baton doctor")
        return after

    return _steer(ledger, id, actor, "approve", None, rule)


def revoke(ledger: Ledger, id: str, actor: Actor) -> Task:
    """Take the approval of a task's gate back."""

    def rule(task: Task) -> Task:
        if task.approval is None:
            raise Refused(f"task {task.id!r} is not approved", next=f"baton show {task.id}")
        return transitions.revoke(task, now=ledger.now())

    return _steer(ledger, id, actor, "revoke", None, rule)


def _approval(
    keeper: GateKeeper, task: Task, person: str, sign: Callable[[bytes], str] | None, *, at: str
) -> Approval:
    commit = task.result.commit if task.status is Status.REVIEW and task.result else None
    signature = None
    if keeper.signed:
        if sign is None:
            raise GateClosed(
                "approvals are signed in this project; name your signing key",
                next="git config user.signingKey PATH",
            )
        signature = sign(payload(keeper.project, task, commit))
    return Approval(
        by=person,
        at=at,
        digest=digest(keeper.project, task, commit),
        commit=commit,
        signature=signature,
    )


def _steer(
    ledger: Ledger,
    id: str,
    actor: Actor,
    word: str,
    remark: str | None,
    rule: Callable[[Task], Task],
) -> Task:
    def decide(view: View, task: Task) -> Step:
        return Step(rule(task), subjects.by_person(word, task.id, remark), actor)

    return ledger.change(id, decide)


def _name(actor: Actor) -> str:
    return agent_name(actor.name, field="actor")
