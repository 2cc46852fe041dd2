"""Landing: a result is published in the same push that ends its claim, or not at all (I2).

The steps, and what a kill between any two of them leaves, are in docs/design/protocol.md,
section 5.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from gitbaton.core.clock import Clock
from gitbaton.core.errors import (
    BatonError,
    GateClosed,
    HostRefused,
    NoAtomicPush,
    RemoteUnreachable,
)
from gitbaton.core.ids import Oid
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.model import (
    Actor,
    Branch,
    Committed,
    Conflict,
    Move,
    Rejected,
    Rescue,
    Transaction,
)
from gitbaton.store.protocol import Store
from gitbaton.tasks.claims import Token, ended_by
from gitbaton.tasks.deliverables import undelivered
from gitbaton.tasks.ledger import LandingStale
from gitbaton.tasks.model import Landing, Task
from gitbaton.tasks.queue import Queue
from gitbaton.work.attribution import Attribution
from gitbaton.work.integrate import How, integrate
from gitbaton.work.job import LandJob
from gitbaton.work.rescue import Rescuer
from gitbaton.work.upstream import Upstream

_TRIES = 12  # times that the branch may move under us before we give up
_PAUSE = 0.3  # seconds, times the number of tries


class ChecksFailed(BatonError):
    """The result, as it would land, does not pass its checks or lacks what it must deliver."""

    code = "checks_failed"


class LandingLost(BatonError):
    """The branch moved at every try; the claim is still good."""

    code = "landing_lost"


@dataclass(frozen=True, slots=True)
class Landed:
    """What was published: the task as it is now, the commit on the branch, the branch."""

    task: Task
    commit: Oid | None
    branch: str | None


@dataclass(frozen=True, slots=True)
class _Plan:
    branch: str
    commit: Oid
    old: Oid | None
    moves: tuple[Move, ...]


Stop = Callable[[], str | None]
"""Tells why to stop, None as long as there is no reason to."""

Rules = Callable[[LandJob], frozenset[str]]
"""Returns the branches that may only move forward; raises GateClosed where the project does not
let the job land. Read from the target branch as it is at that moment, before the landing."""

Hold = Callable[[Token], AbstractContextManager[None]]
"""Keeps a claim from being renewed meanwhile: it is being ended."""

Check = Callable[[LandJob, Oid, Stop], str | None]
"""Runs a job's checks on a commit; returns what failed, None when all passed."""


class Lander:
    """Lands jobs, one after the other or several at once from different threads."""

    def __init__(
        self,
        repository: CoordinationRepository,
        queue: Queue,
        store: Store,
        upstream: Upstream,
        rescuer: Rescuer,
        *,
        how: How,
        check: Check,
        rules: Rules,
        hold: Hold,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._repository = repository
        self._queue = queue
        self._store = store
        self._upstream = upstream
        self._rescuer = rescuer
        self._how: How = how
        self._check = check
        self._rules = rules
        self._hold = hold
        self._clock = clock
        self._rng = rng

    def land(
        self, job: LandJob, *, again: bool = False, should_stop: Stop = lambda: None
    ) -> Landed:
        """Publish ``job`` and end its claim. ``again``: it may have been tried before.

        Trying again after any error or kill is safe: what was done is recognised. Raises
        ClaimLost, GateClosed, IntegrationConflict, ChecksFailed, LandingLost, HostRefused,
        RemoteUnreachable (nothing is known to have changed, or OutcomeUnknown); Interrupted when
        ``should_stop`` said so while checks ran again.
        """
        if again and (landed := self._landed_before(job)) is not None:
            return landed
        commit = job.oid
        if commit is None or job.way == "record":
            self._require_files(job, commit or job.base)
            return Landed(self._done(job, None, commit, ()), commit, None)
        for turn in range(_TRIES):
            if turn:
                self._clock.sleep(self._rng.uniform(0.2, 1.0) * _PAUSE * turn)
            plan = self._plan(job, commit, should_stop)
            self._require_files(job, plan.commit)
            self._obey(job, plan, commit)
            try:
                task = self._done(job, plan.branch, plan.commit, plan.moves)
            except LandingStale:
                continue
            except NoAtomicPush:
                try:
                    task = self._done_in_steps(job, plan)
                except LandingStale:
                    continue
            return Landed(task, plan.commit, plan.branch)
        raise LandingLost(f"{job.branch} moved {_TRIES} times while the result was landing")

    def _plan(self, job: LandJob, commit: Oid, should_stop: Stop) -> _Plan:
        if job.way == "merge":
            return self._onto_target(job, commit, should_stop)
        return self._as_branch(job, commit)

    def _as_branch(self, job: LandJob, commit: Oid) -> _Plan:
        """Publish the commit as the task's own branch, whatever stood there before."""
        tip = self._upstream.tip(job.branch)
        if tip == commit:
            return _Plan(job.branch, commit, tip, ())
        moves = [Move(Branch(job.branch), tip, commit)]
        if tip is not None and not self._upstream.contains(commit, tip):
            # An earlier attempt's result, or somebody's commits: saved in the same push (I3).
            proof = job.proof
            moves.append(Move(Rescue(proof.task, proof.epoch, tip), None, tip))
        return _Plan(job.branch, commit, tip, tuple(moves))

    def _require_files(self, job: LandJob, commit: str | None) -> None:
        """Raise ChecksFailed unless ``commit`` has the files that the task promises (I9)."""
        if not job.files:
            return
        files = self._repository.files(commit) if commit is not None else []
        absent = undelivered(job.files, files)
        if absent:
            raise ChecksFailed(f"it does not deliver what it should: no file {', '.join(absent)}")

    def _obey(self, job: LandJob, plan: _Plan, commit: Oid) -> None:
        """Raise unless the project's rules, as they are now, let ``plan`` happen (I9)."""
        shared = self._rules(job)
        if plan.branch not in shared:
            return
        if job.review:
            raise GateClosed(
                f"a result for review cannot be published on {plan.branch}",
                next="baton work --land branch, with a branch of its own for each task",
            )
        if plan.old is not None and not self._upstream.contains(plan.commit, plan.old):
            raise LandingLost(f"{plan.branch} has moved on: what is there is not in {commit[:10]}")

    def _onto_target(self, job: LandJob, commit: Oid, should_stop: Stop) -> _Plan:
        """Bring the commit onto the target's tip, and check it again where that changed it."""
        proof = job.proof
        tip = self._upstream.tip(job.target)
        if tip is None:
            return _Plan(job.target, commit, None, (Move(Branch(job.target), None, commit),))
        made = integrate(
            self._repository,
            result=commit,
            target=tip,
            how=self._how,
            attribution=Attribution(proof.task, proof.epoch),
            title=f"Land {proof.task}",
            actor=Actor(job.agent),
            clock=self._clock,
        )
        if made.way == "contained":
            return _Plan(job.target, tip, tip, ())
        if job.checks and not self._same_tree(made.commit, job.checked):
            failed = self._check(job, made.commit, should_stop)
            if failed is not None:
                raise ChecksFailed(f"on {job.target} as it is now: {failed}")
        return _Plan(job.target, made.commit, tip, (Move(Branch(job.target), tip, made.commit),))

    def _done(
        self, job: LandJob, branch: str | None, commit: Oid | None, moves: tuple[Move, ...]
    ) -> Task:
        with self._hold(job.proof):
            return self._queue.done(
                job.proof,
                branch=branch,
                commit=commit,
                text=job.text,
                review=job.review,
                moves=moves,
            )

    def _done_in_steps(self, job: LandJob, plan: _Plan) -> Task:
        """Land on a host without atomic push: announce under the claim, move, confirm."""
        actor = Actor(job.agent)
        proof = job.proof
        # The commit has to be on the server before a record may name it.
        self._rescuer.push(Rescue(proof.task, proof.epoch, plan.commit), actor=actor)
        announced = Landing(branch=plan.branch, old=plan.old, commit=plan.commit, review=job.review)
        self._queue.announce(proof, announced)
        for move in plan.moves:
            self.move(move, actor)
        return self._done(job, plan.branch, plan.commit, ())

    def move(self, move: Move, actor: Actor) -> None:
        """Move a branch alone, by CAS: the second step of a landing, or one left behind its record.

        Raises LandingStale, HostRefused, RemoteUnreachable.
        """
        subject = f"land: {move.new}"
        [outcome] = self._store.commit(
            [Transaction(expect={}, write={}, moves=(move,), subject=subject, actor=actor)]
        )
        match outcome:
            case Committed():
                return
            case Conflict(_, moved):
                raise LandingStale(moved)
            case Rejected(reason, ref):
                raise HostRefused(reason, ref=ref)
        raise RemoteUnreachable("whether the branch moved is not known")

    def _landed_before(self, job: LandJob) -> Landed | None:
        """Return what an earlier try of ``job`` landed, None if it did not.

        A server that died within the transaction may have written the record and not the branch;
        then the branch follows now, unless somebody has moved it elsewhere.
        """
        task = self._queue.get(job.proof.task)
        if not ended_by(task, job.proof, "done"):
            return None
        result = task.result
        if result is None or result.branch is None or result.commit is None:
            return Landed(task, None, None)
        commit, branch = Oid(result.commit), result.branch
        tip = self._upstream.tip(branch)
        if tip is not None and self._upstream.contains(tip, commit):
            return Landed(task, commit, branch)
        if self._upstream.has(commit):
            if tip is None or self._upstream.contains(commit, tip):
                self.move(Move(Branch(branch), tip, commit), Actor(job.agent))
            else:
                # Others went on from where it was: the work is saved before anybody is told.
                proof = job.proof
                rescue = Rescue(proof.task, proof.epoch, commit)
                self._rescuer.push(rescue, actor=Actor(job.agent))
        return Landed(task, commit, branch)

    def _same_tree(self, commit: Oid, other: str | None) -> bool:
        if other is None:
            return False
        trees = self._repository.git.run("rev-parse", f"{commit}^{{tree}}", f"{other}^{{tree}}")
        first, second = trees.text.split("\n")
        return first == second
