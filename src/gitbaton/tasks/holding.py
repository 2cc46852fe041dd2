"""What the holder of a claim does: renew, finish, block, give back, fail. All need the token."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from gitbaton.core.errors import BatonError, GateClosed, InvalidInput, OutcomeUnknown, Refused
from gitbaton.core.ids import Oid, branch_name, is_oid
from gitbaton.store.model import (
    Actor,
    Committed,
    Conflict,
    Move,
    Outcome,
    Transaction,
    Version,
)
from gitbaton.tasks import subjects, transitions
from gitbaton.tasks.claims import Claimed, Token, ended_by, require_claim
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.ledger import TRIES, Ledger, Step, failure
from gitbaton.tasks.model import Claim, Landing, Result, Status, Task
from gitbaton.tasks.readiness import Readiness
from gitbaton.tasks.text import RESULT_LIMIT, clean_text
from gitbaton.tasks.validation import reason as checked_reason
from gitbaton.tasks.view import View


def check(ledger: Ledger, token: Token) -> Claimed:
    """Return the claim that ``token`` proves; raise ClaimLost unless it is current."""
    view = ledger.view()
    task = view.find(token.task)
    require_claim(task, token)
    return Claimed(task, token, view.versions[task.id])


def renew(ledger: Ledger, tokens: Sequence[Token]) -> Mapping[Token, Task | Exception]:
    """Renew all claims in one commit; return for each the task, or why it was not renewed.

    Tried on what was seen last: hardly anybody but the holder changes a task in progress. Raises
    RemoteUnreachable when nothing could be asked or sent.
    """
    results: dict[Token, Task | Exception] = {}
    left = list(dict.fromkeys(tokens))
    since = -math.inf
    for attempt in range(TRIES):
        if not left:
            break
        if attempt:
            ledger.pause(attempt)
        began = ledger.elapsed()
        view = ledger.recall(since=since)
        steps, errors = _renewals(ledger, view, left)
        if view is None or errors:
            steps, errors = _renewals(ledger, ledger.view(), left)
        results |= errors
        since = began
        outcomes = ledger.store.commit([step.transaction(v) for step, v in steps.values()])
        for (token, (step, _)), outcome in zip(steps.items(), outcomes, strict=True):
            if isinstance(outcome, Committed):
                results[token] = step.task
            elif not isinstance(outcome, Conflict):
                results[token] = failure(outcome)
        left = [token for token in left if token not in results]
    for token in left:
        results[token] = OutcomeUnknown(f"task {token.task!r} kept changing; renew again")
    return {token: results[token] for token in tokens}


def propose_renewals(ledger: Ledger, tokens: Sequence[Token]) -> Mapping[Token, Transaction]:
    """Return renewals that may ride along in a push of others, by what was seen last.

    Asks nobody. A claim that does not look current is left out: ``renew`` finds out why. So does
    it for a renewal of which ``renewed`` says no.
    """
    steps, _ = _renewals(ledger, ledger.recall(), list(dict.fromkeys(tokens)))
    return {token: step.transaction(version) for token, (step, version) in steps.items()}


def renewed(outcome: Outcome) -> bool:
    """Tell whether a renewal that rode along with this outcome was done."""
    return isinstance(outcome, Committed)


def done(
    ledger: Ledger,
    token: Token,
    result: Result,
    *,
    review: bool,
    moves: Sequence[Move],
    require: Callable[[Task], None] = lambda task: None,
) -> Task:
    """Publish ``moves`` and finish, in one transaction (I2).

    The gate and the needs are checked again. ``require`` raises for a task that this result does
    not finish; it is shown the very version that is replaced. Raises GateClosed, and LandingStale
    when a branch had moved. Repeating it with the same commit after a lost answer is quiet.
    """
    result = _checked(result)
    ask = ledger.ask_gatekeeper()

    def decide(view: View, task: Task) -> Step | None:
        finished = task.status in (Status.DONE, Status.REVIEW)
        if finished and ended_by(task, token, "done") and _commit(task) == result.commit:
            return None
        claim = require_claim(task, token)
        require(task)
        keeper = ask() if task.gate is not None else ledger.gatekeeper
        _require_open(keeper, view, task, Oid(result.commit) if result.commit else None)
        after = transitions.finish(task, result, review=review, now=ledger.now())
        word = "review" if review else "done"
        subject = subjects.by_holder(word, task.id, claim.agent, result.text)
        return Step(after, subject, Actor(claim.agent), moves)

    return ledger.change(token.task, decide, trust=None if moves else _stands_alone)


def announce(ledger: Ledger, token: Token, landing: Landing) -> Task:
    """Name the landing that comes next, for hosts that cannot move record and branch together.

    From here on, whoever finds the branch at that commit may finish the task. Raises as ``done``.
    """
    ask = ledger.ask_gatekeeper()

    def decide(view: View, task: Task) -> Step | None:
        claim = require_claim(task, token)
        keeper = ask() if task.gate is not None else ledger.gatekeeper
        _require_open(keeper, view, task, Oid(landing.commit))
        if task.landing == landing:
            return None
        after = transitions.announce(task, landing, now=ledger.now())
        subject = subjects.by_holder("announce", task.id, claim.agent, landing.branch)
        return Step(after, subject, Actor(claim.agent))

    return ledger.change(token.task, decide)


def confirm(ledger: Ledger, id: str, commit: Oid, actor: Actor) -> Task:
    """Finish a task whose announced landing of ``commit`` has happened; anybody may (I4).

    Raises Refused when no such landing is announced.
    """

    def decide(view: View, task: Task) -> Step | None:
        landing = task.landing
        if landing is None or landing.commit != commit:
            raise Refused(
                f"task {id!r} announces no landing of {commit[:10]}", next=f"baton show {id}"
            )
        result = Result(branch=landing.branch, commit=landing.commit)
        after = transitions.finish(task, result, review=landing.review, now=ledger.now())
        word = "review" if landing.review else "done"
        return Step(after, subjects.by_person(word, task.id, "its landing was found"), actor)

    return ledger.change(id, decide)


def block(ledger: Ledger, token: Token, reason: str) -> Task:
    """End the claim with a question that a person must answer."""
    question = checked_reason(reason)

    def rule(task: Task, claim: Claim) -> Task:
        return transitions.block(task, question, by=claim.agent, now=ledger.now())

    return _end(ledger, token, "block", question, rule)


def release(ledger: Ledger, token: Token, reason: str) -> Task:
    """Give the task back; no attempt is counted."""

    def rule(task: Task, claim: Claim) -> Task:
        return transitions.release(task, reason, now=ledger.now())

    return _end(ledger, token, "release", reason, rule)


def fail(ledger: Ledger, token: Token, reason: str) -> Task:
    """End the attempt as failed: back with a delay, or failed for good after the last one."""
    why = checked_reason(reason)

    def rule(task: Task, claim: Claim) -> Task:
        return transitions.end_attempt(
            task, "fail", why, by=claim.agent, settings=ledger.settings, now=ledger.now()
        )

    return _end(ledger, token, "fail", why, rule)


def _end(
    ledger: Ledger, token: Token, word: str, reason: str, rule: Callable[[Task, Claim], Task]
) -> Task:
    """End the claim by ``rule``; quiet if this claim already ended by this word."""

    def decide(view: View, task: Task) -> Step | None:
        if ended_by(task, token, word):
            return None
        claim = require_claim(task, token)
        subject = subjects.by_holder(word, task.id, claim.agent, reason)
        return Step(rule(task, claim), subject, Actor(claim.agent))

    return ledger.change(token.task, decide, trust=lambda _: True)


def _stands_alone(task: Task) -> bool:
    """Tell whether a landing of ``task`` relies on no other record, and on no gate."""
    return not task.needs and task.gate is None


def _require_open(keeper: GateKeeper, view: View, task: Task, commit: Oid | None) -> None:
    """Raise GateClosed unless what the landing relies on still holds."""
    broken = [
        obstacle
        for obstacle in Readiness(view, keeper).broken(task, commit)
        if obstacle.kind in ("need", "gate")
    ]
    if broken:
        raise GateClosed(f"task {task.id!r} cannot land: {broken[0].text}", next=broken[0].next)


def _renewals(
    ledger: Ledger, view: View | None, tokens: Sequence[Token]
) -> tuple[dict[Token, tuple[Step, Version]], dict[Token, BatonError]]:
    """Return the renewal of each token that is current in ``view``, and the errors of the others.

    Nothing at all where there is no view.
    """
    steps: dict[Token, tuple[Step, Version]] = {}
    errors: dict[Token, BatonError] = {}
    if view is None:
        return steps, errors
    for token in tokens:
        try:
            task = view.find(token.task)
            claim = require_claim(task, token)
        except BatonError as error:
            errors[token] = error
            continue
        after = transitions.renew(task, now=ledger.now())
        subject = subjects.by_holder("renew", task.id, claim.agent)
        step = Step(after, subject, Actor(claim.agent), heartbeat=True)
        steps[token] = step, view.versions[task.id]
    return steps, errors


def _checked(result: Result) -> Result:
    if result.branch is not None:
        branch_name(result.branch)
    if result.commit is not None and not is_oid(result.commit):
        raise InvalidInput("commit", f"{result.commit!r:.80} is no full object id")
    text = clean_text(result.text or "", RESULT_LIMIT) or None
    return Result(branch=result.branch, commit=result.commit, text=text)


def _commit(task: Task) -> Oid | None:
    commit = task.result.commit if task.result is not None else None
    return Oid(commit) if commit is not None else None
