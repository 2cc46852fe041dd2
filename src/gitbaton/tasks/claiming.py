"""Claiming: one compare-and-swap on the task's own record, and a second look before the token.

Losing a race is normal: look again, take the next ready task. What a claim relied on besides its
own record (needs, gate, paths) may have changed between the look and the win; so the winner looks
once more and withdraws if it no longer holds, before anybody gets the token.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gitbaton.core.errors import (
    BatonError,
    ClaimLost,
    DamagedRecord,
    InvalidInput,
    NothingToClaim,
)
from gitbaton.core.ids import TaskId, new_nonce, task_id
from gitbaton.store.model import (
    ABSENT,
    Absent,
    Actor,
    Committed,
    Conflict,
    Key,
    Rejected,
    Transaction,
    Value,
    Version,
)
from gitbaton.tasks import subjects, transitions
from gitbaton.tasks.adding import check_new, free_id
from gitbaton.tasks.claims import Claimant, Claimed, require_claim, token_of
from gitbaton.tasks.drafts import Draft, compose
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.ledger import TRIES, Ledger, Step, failure
from gitbaton.tasks.model import Task, encode_task
from gitbaton.tasks.nothing import nothing_to_claim, waiting
from gitbaton.tasks.readiness import Readiness, affinity
from gitbaton.tasks.reservations import (
    PATHS_KEY,
    Locks,
    collision,
    is_entered,
    read_locks,
    reserve,
)
from gitbaton.tasks.validation import lease as checked_lease
from gitbaton.tasks.view import View

MOST_AT_ONCE: Final = 100
_DOCTOR: Final = "baton doctor"
_FIRST_CHOICE: Final = 4  # after n lost races a claimant chooses among the first 4 * 2**n tasks


@dataclass(frozen=True, slots=True)
class Claiming:
    """One wish to claim, and everything that belongs to carrying it out."""

    ledger: Ledger
    who: Claimant
    ids: tuple[str, ...]
    count: int
    lease: float
    create: Draft | None
    ask: Callable[[], GateKeeper]

    @staticmethod
    def wish(
        ledger: Ledger,
        who: Claimant,
        ids: Sequence[str],
        count: int,
        lease: float | None,
        create: Draft | None,
    ) -> Claiming:
        """Return the checked wish; raise InvalidInput naming the field that is wrong."""
        who.check()
        if not 1 <= count <= MOST_AT_ONCE:
            raise InvalidInput("count", f"{count} is not between 1 and {MOST_AT_ONCE}")
        names = tuple(dict.fromkeys(task_id(id) for id in ids))
        if create is not None:
            if create.id is None and len(names) == 1:
                create = replace(create, id=names[0])
            if count != 1 or len(names) > 1 or (names and names != (create.id,)):
                raise InvalidInput("create", "what is created is claimed alone")
            names = () if create.id is None else (task_id(create.id),)
        seconds = checked_lease(ledger.settings.lease if lease is None else lease)
        return Claiming(ledger, who, names, count, seconds, create, ledger.ask_gatekeeper())

    def carry_out(self) -> list[Claimed]:
        """Return the claims won, at least one.

        Raises NothingToClaim, UnknownTask, DamagedRecord; HostRefused or OutcomeUnknown when
        nothing else was won.
        """
        won: list[Claimed] = []
        stuck: dict[TaskId, str] = {}
        lost = 0
        while lost < TRIES and len(won) < self.count:
            try:
                fresh = self._round(lost, self.count - len(won), stuck)
            except BatonError:
                if won:
                    return won  # these are ours whatever became of the others
                raise
            won += fresh
            if not fresh:
                self.ledger.pause(lost)
                lost += 1
        if won:
            return won
        raise NothingToClaim("lost", "others were faster every time", next="baton claim")

    # --- one round

    def _round(self, lost: int, wanted: int, stuck: dict[TaskId, str]) -> list[Claimed]:
        """Look, try up to ``wanted`` ready tasks, return the claims that hold (none: lost).

        A task that cannot be written (a killed server left its lock) must not keep anybody from
        the others (I4): it is added to ``stuck``, with the reason, and not tried again.
        """
        locks, view = self._look()
        candidates, batch = self._choose(locks, view, lost, wanted, stuck)
        if any(task.gate is not None for task in batch):
            self.ask()
            candidates, batch = self._choose(locks, view, lost, wanted, stuck)
        if not batch and candidates and locks.damage is not None:
            raise DamagedRecord(
                f"no task with paths can be claimed: {PATHS_KEY} is damaged ({locks.damage})",
                next="baton doctor",
            )
        if not batch and stuck:
            id, why = next(iter(stuck.items()))
            raise NothingToClaim("lost", f"task {id!r} cannot be written: {why}", next=_DOCTOR)
        if not batch:
            raise nothing_to_claim(view, self._readiness(view), self.ids, candidates)
        return self._second_look(self._try(batch, locks, view, stuck))

    def _look(self) -> tuple[Locks, View]:
        """Read the reservations first, then the tasks (why: see ``reservations``)."""
        snapshot = self.ledger.store.read(PATHS_KEY)
        view = self.ledger.view()
        return read_locks(snapshot, view), view

    def _choose(
        self, locks: Locks, view: View, lost: int, wanted: int, stuck: Collection[TaskId]
    ) -> tuple[list[Task], list[Task]]:
        """Return the candidates, and those among them to claim in one commit."""
        candidates = [task for task in self._candidates(view) if task.id not in stuck]
        return candidates, _compatible(self._in_turn(candidates, lost), locks, wanted)

    def _candidates(self, view: View) -> list[Task]:
        """Return the ready tasks that may be taken, in the order in which to try."""
        new = self._new_task(view)
        if new is not None:
            blocked = self._readiness(view).obstacles(new)
            if blocked:
                raise waiting(new, blocked)
            return [new]
        ready = self._readiness(view).ready()
        return [task for task in ready if not self.ids or task.id in self.ids]

    def _readiness(self, view: View) -> Readiness:
        return Readiness(view, self.ledger.gatekeeper, self.who)

    def _new_task(self, view: View) -> Task | None:
        """Return the task that is to be created, None if there is none to create."""
        draft = self.create
        if draft is None or (draft.id is not None and draft.id in view.tasks):
            return None
        id = free_id(view, draft.id, draft.title)
        ledger = self.ledger
        task = compose(draft, id, settings=ledger.settings, by=self.who.agent, now=ledger.now())
        check_new(view, [task])
        return task

    def _in_turn(self, candidates: list[Task], lost: int) -> list[Task]:
        """Return the candidates; after lost races shuffled (by claimant) among the first ones."""
        window = _FIRST_CHOICE * 2**lost if lost else 0
        first = sorted(candidates[:window], key=lambda task: affinity(task, self.who))
        return first + candidates[window:]

    def _try(
        self, batch: Sequence[Task], locks: Locks, view: View, stuck: dict[TaskId, str]
    ) -> list[Claimed]:
        """Commit the claims of a batch together; return those that were committed."""
        taken = [self._taken(task) for task in batch]
        changes = [self._transaction(task, locks, view) for task in taken]
        claims: list[Claimed] = []
        failures: list[BatonError] = []
        for task, outcome in zip(taken, self.ledger.store.commit(changes), strict=True):
            if isinstance(outcome, Committed) and task.claim is not None:
                token = token_of(task, task.claim)
                claims.append(Claimed(task, token, outcome.versions[task.key]))
            elif isinstance(outcome, Rejected) and outcome.code == "contention":
                stuck[task.id] = f"{outcome.ref or task.key} is {outcome.reason}"
            elif not isinstance(outcome, Committed | Conflict):
                failures.append(failure(outcome))
        if failures and not claims:
            raise failures[0]
        return claims

    def _taken(self, task: Task) -> Task:
        now = self.ledger.now()
        return transitions.take(task, self.who, nonce=new_nonce(), lease=self.lease, now=now)

    def _transaction(self, task: Task, locks: Locks, view: View) -> Transaction:
        expect: dict[Key, Version | Absent] = {}
        write: dict[Key, Value] = {}
        if task.paths:
            # First, because a host without atomic push gets the records one by one in this order:
            # a reservation without its claim is void, a claim without its reservation is a danger.
            expect[PATHS_KEY] = locks.version
            write[PATHS_KEY] = reserve(locks.standing, task)
        known = view.versions.get(task.id)
        expect[task.key] = ABSENT if known is None else known
        write[task.key] = encode_task(task)
        subject = subjects.by_holder(
            "claim", task.id, self.who.agent, f"new, {task.title}" if known is None else None
        )
        return Transaction(expect=expect, write=write, subject=subject, actor=Actor(self.who.agent))

    # --- after winning

    def _second_look(self, claims: Sequence[Claimed]) -> list[Claimed]:
        """Return the claims that rest on what still holds; withdraw the others."""
        if not any(_relies(claimed.task) for claimed in claims):
            return list(claims)
        locks, view = self._look()
        kept: list[Claimed] = []
        for claimed in claims:
            try:
                task = view.find(claimed.task.id)
                require_claim(task, claimed.token)
            except BatonError:
                continue  # cancelled already, or unreadable: not ours to hand out
            why = self._broken(task, locks, view)
            if why is None:
                kept.append(Claimed(task, claimed.token, view.versions[task.id]))
            else:
                self._withdraw(claimed, why)
        return kept

    def _broken(self, task: Task, locks: Locks, view: View) -> str | None:
        """Return what a claim relied on and no longer finds, None if all is well."""
        broken = Readiness(view, self.ledger.gatekeeper).broken(task)
        if broken:
            return broken[0].text
        if task.paths and not is_entered(locks.entries, task):
            return "its paths were not reserved"
        met = collision(task, locks.standing) if task.paths else None
        return None if met is None else f"its paths meet those of {met[0].task}"

    def _withdraw(self, claimed: Claimed, why: str) -> None:
        ledger = self.ledger

        def decide(view: View, task: Task) -> Step:
            claim = require_claim(task, claimed.token)
            after = transitions.release(task, f"withdrawn: {why}", now=ledger.now())
            subject = subjects.by_holder("release", task.id, claim.agent, f"withdrawn: {why}")
            return Step(after, subject, Actor(claim.agent))

        try:
            ledger.change(claimed.task.id, decide)
        except ClaimLost:
            return  # somebody else ended it first, which is as good


def _relies(task: Task) -> bool:
    """Tell whether a claim of ``task`` relies on anything besides the task's own record."""
    return bool(task.needs or task.gate or task.paths)


def _compatible(candidates: Sequence[Task], locks: Locks, count: int) -> list[Task]:
    """Return up to ``count`` candidates that can be claimed in one commit.

    Claims with paths rewrite the same record, so at most one of them; the next round has another.
    """
    chosen: list[Task] = []
    reserving = False
    for task in candidates:
        if len(chosen) == count:
            break
        if task.paths:
            if reserving or locks.damage is not None or collision(task, locks.standing) is not None:
                continue
            reserving = True
        chosen.append(task)
    return chosen
