"""Claiming: one compare-and-swap on the task's own record, decided on what was seen last.

Where that is fresh, a claim of a task that relies on nothing else is one push, and nothing before
or after it. What was seen last may be out of date, but it decides nothing: the compare-and-swap
does. It is only ever a guess at which push will succeed; whatever is told to the caller (there is
nothing, it is held, it waits) is told after a look. Losing a race is normal: then what the engine
saw meanwhile, or a look, shows the next ready task. Claims that rely on other records are looked
at once more before anybody gets the token (``confirming``).

Claiming costs what is live, not what waits: parked tasks are staged, a batch at a time, when none
of the live ones is ready.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from typing import Final

from gitbaton.core.errors import BatonError, InvalidInput, NothingToClaim
from gitbaton.core.ids import TaskId, task_id
from gitbaton.tasks.adding import check_new, free_id
from gitbaton.tasks.claims import Claimant, Claimed, seats_for
from gitbaton.tasks.confirming import confirm
from gitbaton.tasks.drafts import Draft, compose
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.ledger import TRIES, Ledger
from gitbaton.tasks.model import Task
from gitbaton.tasks.nothing import nothing_to_claim, waiting
from gitbaton.tasks.offers import Offer, make_offer, spread
from gitbaton.tasks.readiness import Readiness
from gitbaton.tasks.reservations import read_locks
from gitbaton.tasks.taking import Plan, Seat, Taking
from gitbaton.tasks.validation import lease as checked_lease
from gitbaton.tasks.view import View

_AWAITED: Final = 256  # tasks that wait and are looked for among those that are live by now
_AWAITS: Final = 2  # tries at them in vain, one before they are staged and one after
_OUTDATED: Final = 3  # rounds on what was seen last that met only what had moved on


@dataclass(slots=True)
class _Progress:
    """How far one wish has come. ``since``: what was asked after it may be tried without a look.

    ``outdated``: how many rounds met only tasks that had moved on since they were seen.
    ``awaits``: how often what waited for its turn when it was seen last is worth a try.
    ``stuck``: the tasks that cannot be written, with the reason. A killed server may have left a
    lock, or somebody edited the board by hand; that must not keep anybody from the others (I4).
    """

    since: float
    won: dict[Seat, Claimed] = field(default_factory=dict)
    stuck: dict[TaskId, str] = field(default_factory=dict)
    lost: int = 0
    outdated: int = 0
    awaits: int = _AWAITS


@dataclass(frozen=True, slots=True)
class Claiming:
    """One wish to claim, and everything that belongs to carrying it out."""

    ledger: Ledger
    seats: Sequence[Claimant]
    ids: tuple[str, ...]
    lease: float
    create: Draft | None
    ask: Callable[[], GateKeeper]

    @staticmethod
    def wish(
        ledger: Ledger,
        who: Claimant | Sequence[Claimant],
        ids: Sequence[str],
        count: int,
        lease: float | None,
        create: Draft | None,
    ) -> Claiming:
        """Return the checked wish; raise InvalidInput naming the field that is wrong."""
        seats = seats_for(who, count)
        names = tuple(dict.fromkeys(task_id(id) for id in ids))
        if create is not None:
            if create.id is None and len(names) == 1:
                create = replace(create, id=names[0])
            if len(seats) != 1 or len(names) > 1 or (names and names != (create.id,)):
                raise InvalidInput("create", "what is created is claimed alone")
            names = () if create.id is None else (task_id(create.id),)
        seconds = checked_lease(ledger.settings.lease if lease is None else lease)
        return Claiming(ledger, seats, names, seconds, create, ledger.ask_gatekeeper())

    def carry_out(self) -> list[Claimed]:
        """Return the claims won, at least one, in the order of their seats.

        Raises NothingToClaim, UnknownTask, DamagedRecord; HostRefused or OutcomeUnknown when
        nothing else was won.
        """
        ledger = self.ledger
        progress = _Progress(since=ledger.elapsed() - ledger.contention.freshness)
        while progress.lost < TRIES and len(progress.won) < len(self.seats):
            try:
                is_last = self._round(progress)
            except BatonError:
                if not progress.won:
                    raise
                break  # those are ours whatever became of the others
            if is_last:
                break
        if progress.won:
            return [progress.won[seat] for seat in sorted(progress.won)]
        raise NothingToClaim("lost", "others were faster every time", next="baton claim")

    # --- one round

    def _round(self, progress: _Progress) -> bool:
        """Try to fill the seats that are left; return whether nothing is left to try."""
        seats = [seat for seat in range(len(self.seats)) if seat not in progress.won]
        began = self.ledger.elapsed()
        plan = self._recalled_plan(seats, progress) or self._awaited_plan(seats, progress)
        looked = plan is None
        if plan is None:
            plan = self._looked_plan(seats, progress)
        taking = Taking(self.ledger, self.seats, self.lease)
        claims, moved = taking.carry_out(plan, seats, progress.stuck)
        if plan.offer.awaited and not claims:
            progress.awaits -= 1
            if progress.awaits:
                self._stage()  # nobody has yet, or all that was staged is gone already
            return False
        if moved and not looked and progress.outdated < _OUTDATED:
            progress.outdated += 1
            return False  # there is more of what was seen, and the push session tells what is true
        held = confirm(self.ledger, list(claims.values()))
        seat_of = {claimed.token: seat for seat, claimed in claims.items()}
        progress.won |= {seat_of[claimed.token]: claimed for claimed in held}
        if not claims:
            progress.since = began  # else there may be more of what was seen
        if 2 * len(claims) < min(len(seats), len(plan.candidates)):
            self.ledger.contention.lose()
        if not held:
            if looked or progress.lost:  # a first guess that was wrong is no crowd yet
                self.ledger.pause(progress.lost)
            progress.lost += 1
        # By what was seen last there is no more; whether there is more now, only a look can tell.
        return looked and len(held) == len(plan.candidates)

    def _recalled_plan(self, seats: Sequence[Seat], progress: _Progress) -> Plan | None:
        """Return what to try by what was seen last; None where only a look can tell."""
        view = self.ledger.recall(since=progress.since) if self.create is None else None
        if view is None:
            return None
        plan = self._plan(view, seats, progress)
        return plan if plan.offer.tasks else None

    def _awaited_plan(self, seats: Sequence[Seat], progress: _Progress) -> Plan | None:
        """Return what waited on the board when it was seen last: it may have been staged since.

        All who contend find the live tasks gone at the same moment. One of them stages the next
        ones, and where a push session shows the refs, the others need no look to see that.
        """
        alike = len(set(self.seats)) == 1
        if not progress.awaits or not alike or self.ids or self.create is not None:
            return None
        view = self.ledger.recall(since=progress.since)
        if view is None or not view.has_parked:
            return None
        waiting = (task for task in view.pending if task.id not in view.live)
        ready = self._readiness(view).ready(list(islice(waiting, _AWAITED)))
        # What has a gate or paths needs a look, and nothing less urgent goes before it.
        simple = takewhile(lambda task: not task.gate and not task.paths, ready)
        left = self._untried(view, list(simple), progress)
        places = len(seats)
        tasks = spread(left, self.seats[0], self.ledger.contention.window * places, seats=places)
        offer = Offer(tasks, either=True, awaited=True)
        return Plan(view, read_locks(view), tasks, offer) if tasks else None

    def _stage(self) -> None:
        """Bring the next tasks within reach, unless somebody else has."""
        level = round(self.ledger.contention.level)
        if level:
            self.ledger.pause(level)
        with suppress(BatonError):  # a look tells what is wrong, or that nothing is
            self.ledger.store.tidy()

    def _looked_plan(self, seats: Sequence[Seat], progress: _Progress) -> Plan:
        """Look, and return what to try; raise what is to be told when there is nothing."""
        plan = self._plan(self.ledger.view(), seats, progress)
        if not plan.offer.tasks and self.create is None and not self.ids and plan.view.has_parked:
            plan = self._parked_plan(plan, seats, progress)
        if not plan.offer.tasks:
            readiness, damage = self._readiness(plan.view), plan.locks.damage
            raise nothing_to_claim(
                plan.view, readiness, self.ids, plan.candidates, damage=damage, stuck=progress.stuck
            )
        return plan

    def _parked_plan(self, plan: Plan, seats: Sequence[Seat], progress: _Progress) -> Plan:
        """Return what to try when none of the live tasks is ready: stage some that are.

        As a last resort one is claimed where it is parked, which moves the board, for which all
        contend.
        """
        if not self._readiness(plan.view).ready():
            return plan
        if self.ledger.contention.level >= 1:
            # All who contend find nothing at the same moment, and one of them is enough to stage.
            self.ledger.pause(round(self.ledger.contention.level))
            plan = self._plan(self.ledger.view(), seats, progress)
            if plan.offer.tasks:
                return plan
        try:
            self.ledger.store.tidy()
        except BatonError:
            return self._plan(plan.view, seats, progress, parked=True)
        view = self.ledger.view()
        staged = self._plan(view, seats, progress)
        return staged if staged.offer.tasks else self._plan(view, seats, progress, parked=True)

    def _plan(
        self, view: View, seats: Sequence[Seat], progress: _Progress, *, parked: bool = False
    ) -> Plan:
        """Return what to try of ``view``, by nothing but this view: a task goes with its version.

        ``parked``: tasks that are not live as well. Asks for the rules if one has a gate (I9).
        """
        locks = read_locks(view)
        window, places = self.ledger.contention.window * len(seats), len(seats)
        alike = len(set(self.seats)) == 1
        ready = self._readiness(view).ready() if parked else self._ready(view)
        while True:
            keeper = self.ledger.gatekeeper
            left = self._untried(view, ready, progress)
            candidates = spread(left, self.seats[0], window, seats=places)
            offer = make_offer(candidates, locks, seats=len(seats), alike=alike, live=view.live)
            if all(task.gate is None for task in offer.tasks) or self.ask() is keeper:
                return Plan(view, locks, candidates, offer)
            ready = self._readiness(view).ready(ready)

    def _untried(self, view: View, ready: Sequence[Task], progress: _Progress) -> list[Task]:
        """Return those of ``ready`` that can be written and are not known to have moved on."""
        moved, versions = self.ledger.moved, view.versions
        left = [task for task in ready if task.id not in progress.stuck]
        return [t for t in left if versions.get(t.id) not in moved] if moved else left

    def _ready(self, view: View) -> list[Task]:
        """Return the live or named tasks that may be claimed, in the order in which to try."""
        new = self._new_task(view)
        if new is not None:
            blocked = self._readiness(view).obstacles(new)
            if blocked:
                raise waiting(new, blocked)
            return [new]
        named = (view.tasks.get(TaskId(id)) for id in self.ids)
        wanted = [t for t in named if t is not None] if self.ids else view.live.values()
        return self._readiness(view).ready(wanted)

    def _readiness(self, view: View) -> Readiness:
        return Readiness(view, self.ledger.gatekeeper, self.seats[0])

    def _new_task(self, view: View) -> Task | None:
        """Return the task that is to be created, None if there is none to create."""
        draft = self.create
        if draft is None or (draft.id is not None and draft.id in view.tasks):
            return None
        id = free_id(view, draft.id, draft.title)
        ledger, by = self.ledger, self.seats[0].agent
        task = compose(draft, id, settings=ledger.settings, by=by, now=ledger.now())
        check_new(view, [task])
        return task
