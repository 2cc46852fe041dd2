"""Taking what a claim has planned to try: one commit of many claims, and what came of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gitbaton.core.errors import BatonError
from gitbaton.core.ids import Nonce, TaskId, new_nonce
from gitbaton.store.deferred import Alternatives, Deferred
from gitbaton.store.model import (
    ABSENT,
    Absent,
    Actor,
    Choice,
    Committed,
    Conflict,
    Key,
    Rejected,
    Spared,
    Transaction,
    Value,
    Version,
)
from gitbaton.tasks import subjects, transitions
from gitbaton.tasks.claims import Claimant, Claimed, token_of
from gitbaton.tasks.ledger import Ledger, failure
from gitbaton.tasks.model import Task, encode_task
from gitbaton.tasks.offers import Offer
from gitbaton.tasks.reservations import PATHS_KEY, Locks, reserve
from gitbaton.tasks.view import View

Seat: TypeAlias = int
"""A place among those for which claims are wanted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a view gave to try. ``candidates``: all that was ready."""

    view: View
    locks: Locks
    candidates: Sequence[Task]
    offer: Offer


@dataclass(frozen=True, slots=True)
class Taking:
    """The claims of one wish, made of the tasks of a plan. ``lease`` in seconds."""

    ledger: Ledger
    seats: Sequence[Claimant]
    lease: float

    def carry_out(
        self, plan: Plan, seats: Sequence[Seat], stuck: dict[TaskId, str]
    ) -> tuple[dict[Seat, Claimed], bool]:
        """Commit the claims of an offer together; return those that were committed, by seat.

        And whether nothing was tried, because all of it has moved on since it was seen.
        """
        offer, store, versions = plan.offer, self.ledger.store, plan.view.versions
        places = [seats[0]] * len(offer.tasks) if offer.either else seats
        wishes = list(zip(offer.tasks, places, strict=False))
        taken = Deferred(len(wishes), lambda index: self._taken(*wishes[index]))

        def change(index: int) -> Transaction:
            return self._transaction(taken[index], plan)

        outcomes: Sequence[Choice]
        if offer.either:
            expected = [(task.key, versions[task.id]) for task in offer.tasks]
            choices = Alternatives(expected, change, awaited=offer.awaited)
            outcomes = store.commit_first(choices, len(seats))
        else:
            outcomes = store.commit([change(index) for index in range(len(wishes))])
        claims: dict[Seat, Claimed] = {}
        failures: list[BatonError] = []
        for index, outcome in enumerate(outcomes):
            task, place = wishes[index]
            if isinstance(outcome, Committed):
                mine = taken[index]
                assert mine.claim is not None, "a task that is taken has a claim"
                seat = seats[len(claims)] if offer.either else place
                token = token_of(mine, mine.claim)
                claims[seat] = Claimed(mine, token, outcome.versions[task.key])
            elif isinstance(outcome, Rejected) and outcome.code == "contention":
                stuck[task.id] = f"{outcome.ref or task.key} is {outcome.reason}"
            elif isinstance(outcome, Rejected) and outcome.code == "damaged":
                stuck[task.id] = outcome.reason
            elif not isinstance(outcome, Committed | Conflict | Spared):
                failures.append(failure(outcome))
        if failures and not claims:
            raise failures[0]
        return claims, self._learn(plan, outcomes)

    def _learn(self, plan: Plan, outcomes: Sequence[Choice]) -> bool:
        """Take note of what pushes have shown of others; return whether all of it has moved."""
        ledger, versions = self.ledger, plan.view.versions
        why = [outcome.why if isinstance(outcome, Spared) else None for outcome in outcomes]
        pairs = zip(plan.offer.tasks, why, strict=False)
        taken = {versions[task.id] for task, reason in pairs if reason in ("moved", "raced")}
        if not plan.offer.awaited:  # those may be live in a moment, at this very version
            ledger.moved |= taken
        if "raced" in why:
            ledger.contention.race()
        return bool(why) and all(reason == "moved" for reason in why)

    def _taken(self, task: Task, seat: Seat) -> Task:
        who, nonce, now = self.seats[seat], Nonce(new_nonce()), self.ledger.now()
        return transitions.take(task, who, nonce=nonce, lease=self.lease, now=now)

    def _transaction(self, task: Task, plan: Plan) -> Transaction:
        expect: dict[Key, Version | Absent] = {}
        write: dict[Key, Value] = {}
        if task.paths:
            # First, because a host without atomic push gets the records one by one in this order:
            # a reservation without its claim is void, a claim without its reservation is a danger.
            expect[PATHS_KEY] = plan.locks.version
            write[PATHS_KEY] = reserve(plan.locks.standing, task)
        known = plan.view.versions.get(task.id)
        expect[task.key] = ABSENT if known is None else known
        write[task.key] = encode_task(task)
        agent = "" if task.claim is None else task.claim.agent
        remark = f"new, {task.title}" if known is None else None
        subject = subjects.by_holder("claim", task.id, agent, remark)
        return Transaction(expect=expect, write=write, subject=subject, actor=Actor(agent))
