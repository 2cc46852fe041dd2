"""The second look: what a claim relied on may have changed between the look and the win.

Needs, gate and paths are other records, and no push can verify a ref that it does not move. So
the winner looks once more, really, and withdraws what does not hold before anybody gets the token.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitbaton.core.errors import BatonError, ClaimLost, RemoteUnreachable
from gitbaton.store.model import Actor
from gitbaton.tasks import subjects, transitions
from gitbaton.tasks.claims import Claimed, require_claim
from gitbaton.tasks.ledger import Ledger, Step
from gitbaton.tasks.model import Task
from gitbaton.tasks.readiness import Readiness
from gitbaton.tasks.reservations import Locks, collision, is_entered, read_locks
from gitbaton.tasks.view import View


def confirm(ledger: Ledger, claims: Sequence[Claimed]) -> list[Claimed]:
    """Return the claims that rest on what still holds; withdraw the others.

    Looks only if one of them relies on anything besides the task's own record. Where the remote is
    away by then they are kept: it has said yes, and a landing asks for needs and gate again.
    """
    if not any(c.task.needs or c.task.gate or c.task.paths for c in claims):
        return list(claims)
    try:
        view = ledger.view()
    except RemoteUnreachable:
        return list(claims)
    locks = read_locks(view)
    kept: list[Claimed] = []
    for claimed in claims:
        try:
            task = view.find(claimed.task.id)
            require_claim(task, claimed.token)
        except BatonError:
            continue  # cancelled already, or unreadable: not ours to hand out
        why = _broken(ledger, task, locks, view)
        if why is None:
            kept.append(Claimed(task, claimed.token, view.versions[task.id]))
        else:
            _withdraw(ledger, claimed, why)
    return kept


def _broken(ledger: Ledger, task: Task, locks: Locks, view: View) -> str | None:
    """Return what a claim relied on and no longer finds, None if all is well."""
    broken = Readiness(view, ledger.gatekeeper).broken(task)
    if broken:
        return broken[0].text
    if task.paths and not is_entered(locks.entries, task):
        return "its paths were not reserved"
    met = collision(task, locks.standing) if task.paths else None
    return None if met is None else f"its paths meet those of {met[0].task}"


def _withdraw(ledger: Ledger, claimed: Claimed, why: str) -> None:
    def decide(view: View, task: Task) -> Step:
        claim = require_claim(task, claimed.token)
        after = transitions.release(task, f"withdrawn: {why}", now=ledger.now())
        subject = subjects.by_holder("release", task.id, claim.agent, f"withdrawn: {why}")
        return Step(after, subject, Actor(claim.agent))

    try:
        ledger.change(claimed.task.id, decide, trust=lambda _: True)
    except ClaimLost:
        return  # somebody else ended it first, which is as good
    except BatonError:
        return  # nobody has its token, so it lapses; the others are as good as they were
