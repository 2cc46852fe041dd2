"""Reaping: claims that nobody renews, or that are over their time, are taken back by anybody.

What was announced as landing is settled first (``work/settling.py``): see ``leases.expiry``.
"""

from __future__ import annotations

from typing import Final

from gitbaton.core.errors import BatonError
from gitbaton.store.model import Actor, Committed, Conflict
from gitbaton.tasks import subjects, transitions
from gitbaton.tasks.claims import Reaped
from gitbaton.tasks.leases import expiry
from gitbaton.tasks.ledger import Ledger, Step, failure
from gitbaton.tasks.model import Task
from gitbaton.tasks.view import View

REAPER: Final = Actor("reaper")


def reap(ledger: Ledger, *, dry_run: bool) -> list[Reaped]:
    """Take back what this observer has seen expire; return what was (dry run: would be) taken.

    The compare-and-swap makes it safe: a claim renewed or ended meanwhile is simply not taken.
    Raises HostRefused or OutcomeUnknown when nothing could be taken for such a reason.
    """
    view = ledger.view()
    found = [r for task in view.live.values() if (r := _expired(ledger, view, task)) is not None]
    if dry_run or not found:
        return found
    changes = [
        Step(r.after, subjects.reset(r.before.id, r.reason), REAPER).transaction(
            view.versions[r.before.id]
        )
        for r in found
    ]
    outcomes = list(zip(found, ledger.store.commit(changes), strict=True))
    taken = [reaped for reaped, outcome in outcomes if isinstance(outcome, Committed)]
    failures: list[BatonError] = [
        failure(outcome) for _, outcome in outcomes if not isinstance(outcome, Committed | Conflict)
    ]
    if failures and not taken:
        raise failures[0]
    return taken


def _expired(ledger: Ledger, view: View, task: Task) -> Reaped | None:
    why = expiry(task, view.sight(task.id))
    if why is None:
        return None
    reason = subjects.ran_out(task) if why == "lease" else subjects.timed_out(task)
    after = transitions.end_attempt(
        task, "reset", reason, by=REAPER.name, settings=ledger.settings, now=ledger.now()
    )
    return Reaped(task, after, reason)
