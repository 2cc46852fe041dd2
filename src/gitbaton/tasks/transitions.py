"""What each event does to a task (pure): ``machine`` says whether it may, this says what changes.

Times in records are for people; no rule here reads one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from gitbaton.core.clock import rfc3339
from gitbaton.core.ids import Nonce
from gitbaton.tasks.claims import Claimant
from gitbaton.tasks.machine import Verb, advance
from gitbaton.tasks.model import Approval, Claim, Landing, Remark, Result, Task
from gitbaton.tasks.settings import QueueSettings
from gitbaton.tasks.text import REASON_LIMIT, clean_text

REMARKS_KEPT: Final = 12


def take(task: Task, who: Claimant, *, nonce: Nonce, lease: float, now: datetime) -> Task:
    """Return ``task`` claimed by ``who`` in the next epoch (I1)."""
    at = rfc3339(now)
    epoch = task.epoch + 1
    claim = Claim(
        agent=who.agent.strip(),
        worker=who.worker.strip(),
        machine=who.machine.strip(),
        epoch=epoch,
        nonce=nonce,
        claimed_at=at,
        renewed_at=at,
        lease=float(lease),
    )
    return advance(task, Verb.CLAIM, now=now, claim=claim, epoch=epoch, delay=0.0, not_before=None)


def renew(task: Task, *, now: datetime) -> Task:
    """Return ``task`` with its claim renewed."""
    claim = task.claim and msgspec.structs.replace(task.claim, renewed_at=rfc3339(now))
    return advance(task, Verb.RENEW, now=now, claim=claim)


def announce(task: Task, landing: Landing, *, now: datetime) -> Task:
    """Return ``task`` with a landing that is about to happen: the fence of a two-step one."""
    return advance(task, Verb.ANNOUNCE, now=now, landing=landing)


def finish(task: Task, result: Result, *, review: bool, now: datetime) -> Task:
    """Return ``task`` done with ``result``, or in review with it."""
    verb = Verb.SUBMIT if review else Verb.DONE
    return advance(task, verb, now=now, word=Verb.DONE, result=result, reason=None)


def block(task: Task, question: str, *, by: str, now: datetime) -> Task:
    """Return ``task`` blocked by ``question``, which a person must answer."""
    remarks = _remarks(task, "question", question, by=by, now=now)
    return advance(task, Verb.BLOCK, now=now, reason=question, remarks=remarks)


def release(task: Task, reason: str, *, now: datetime) -> Task:
    """Return ``task`` given back untried: no attempt is counted."""
    return advance(task, Verb.RELEASE, now=now, reason=clean_text(reason) or None)


def end_attempt(
    task: Task,
    word: Literal["fail", "reset"],
    reason: str,
    *,
    by: str,
    settings: QueueSettings,
    now: datetime,
) -> Task:
    """Return ``task`` after a failed or reset attempt: waiting for another, or failed for good."""
    attempts = task.attempts + 1
    kind = "failed" if word == "fail" else "reset"
    remarks = _remarks(task, kind, reason, by=by, now=now)
    if attempts >= task.max_attempts:
        verb, delay, not_before = Verb.EXHAUST, 0.0, None
    else:
        verb = Verb.FAIL if word == "fail" else Verb.RESET
        delay = settings.back_off(attempts)
        not_before = rfc3339(now + timedelta(seconds=delay)) if delay else None
    return advance(
        task,
        verb,
        now=now,
        word=word,
        attempts=attempts,
        delay=delay,
        not_before=not_before,
        reason=clean_text(reason),
        remarks=remarks,
    )


def cancel(task: Task, reason: str | None, *, now: datetime) -> Task:
    """Return ``task`` called off; whoever holds it finds out at the next call."""
    return advance(task, Verb.CANCEL, now=now, reason=clean_text(reason or "") or None)


def retry(task: Task, *, now: datetime) -> Task:
    """Return ``task`` to be done anew, with all its attempts. The epoch goes on counting."""
    return advance(
        task,
        Verb.RETRY,
        now=now,
        attempts=0,
        delay=0.0,
        not_before=None,
        reason=None,
        result=None,
    )


def unblock(task: Task, answer: str | None, *, by: str, now: datetime) -> Task:
    """Return ``task`` pending again, with the answer for the next attempt's prompt."""
    remarks = task.remarks
    if answer and clean_text(answer):
        remarks = _remarks(task, "answer", answer, by=by, now=now)
    return advance(task, Verb.UNBLOCK, now=now, reason=None, remarks=remarks)


def accept(task: Task, *, now: datetime) -> Task:
    """Return ``task`` done: what was in review is good."""
    return advance(task, Verb.ACCEPT, now=now, reason=None)


def reject(task: Task, reason: str, *, by: str, now: datetime) -> Task:
    """Return ``task`` pending again, with the reason for the next attempt's prompt.

    The result stays: the next attempt may build on it.
    """
    remarks = _remarks(task, "rejected", reason, by=by, now=now)
    return advance(task, Verb.REJECT, now=now, reason=reason, remarks=remarks)


def approve(task: Task, approval: Approval, *, now: datetime) -> Task:
    """Return ``task`` with this approval of its gate."""
    return advance(task, Verb.APPROVE, now=now, approval=approval)


def revoke(task: Task, *, now: datetime) -> Task:
    """Return ``task`` with no approval; the one it had, or any before it, is void for good."""
    return advance(task, Verb.REVOKE, now=now, approval=None, gate_round=task.gate_round + 1)


def _remarks(task: Task, kind: str, words: str, *, by: str, now: datetime) -> tuple[Remark, ...]:
    text = clean_text(words, REASON_LIMIT)
    added = Remark(at=rfc3339(now), by=by, kind=kind, text=text)
    return (*task.remarks, added)[-REMARKS_KEPT:]
