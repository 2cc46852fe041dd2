"""Commits transactions by compare-and-swap pushes, until the outcome of each is certain.

The protocol, with what happens when anything is killed between any two steps, is in
docs/design/protocol.md.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitbaton.core.clock import Clock
from gitbaton.core.errors import DamagedRecord, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.git.objects import RawObject
from gitbaton.git.remote import PushState, RefResult, RefUpdate, Remote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.gitengine.envelope import build_version
from gitbaton.store.gitengine.planner import MAX_REFS, Plan, Planner, Stamp, find_conflicts
from gitbaton.store.gitengine.reader import Reader
from gitbaton.store.gitengine.state import Held, Place, State
from gitbaton.store.model import (
    ABSENT,
    DELETE,
    Committed,
    Conflict,
    Delete,
    Key,
    Move,
    Outcome,
    Rejected,
    Transaction,
    Unknown,
    Version,
)
from gitbaton.store.values import decode_value, encode_writes

_PATIENCE = 60.0  # seconds of lost races, though every expectation held, before we give up
_LOCKED = 8.0  # the same where the board, which all move, is not in it: only a lock explains that
_LOCKED_TURNS = 6  # ... and how often it was tried at least, however slow the remote is
_REFUSALS = 2  # answers of the host that make a refusal its last word
_UNSENT = 3  # pushes that git would not even send


@dataclass(slots=True)
class _Attempts:
    """What has been sent for one transaction so far."""

    stamp: Stamp
    plans: list[Plan] = field(default_factory=list)
    refusals: int = 0
    unsent: int = 0
    last: RefResult = field(default_factory=lambda: RefResult(PushState.UNSENT))
    ref: str | None = None
    stepwise: bool = False  # updates were sent one by one: the host has no atomic push


class Committer:
    """Carries out ``Store.commit`` for the git engine. Thread-safe."""

    def __init__(
        self,
        repository: CoordinationRepository,
        remote: Remote,
        reader: Reader,
        planner: Planner,
        *,
        clock: Clock,
        rng: random.Random,
        stamp: Callable[[], Stamp],
        look: Callable[[Sequence[str]], State],
        latest: Callable[[], State | None],
    ) -> None:
        """``look(refs)`` asks the remote; ``latest()`` is what was seen last, without asking."""
        self._repository = repository
        self._remote = remote
        self._reader = reader
        self._planner = planner
        self._layout = planner.layout
        self._clock = clock
        self._rng = rng
        self._stamp = stamp
        self._look = look
        self._latest = latest
        self._linear = False  # the host refuses to replace a heartbeat: chain them

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        """See ``store.protocol.Store.commit``."""
        transactions = [_settled(tx) for tx in transactions]
        outcomes: list[Outcome | None] = [None] * len(transactions)
        attempts = [_Attempts(self._stamp()) for _ in transactions]
        self._commit_hot(transactions, attempts, outcomes)
        for index, tx in enumerate(transactions):
            if outcomes[index] is not None:
                continue
            try:
                outcomes[index] = self._commit_one(tx, attempts[index])
            except RemoteUnreachable as error:
                if not any(a.plans for a in attempts):
                    raise
                outcomes[index] = Unknown(error.message)
        return [outcome for outcome in outcomes if outcome is not None]

    # --- transactions that move one live record: one shared push, no look before it

    def _commit_hot(
        self,
        transactions: Sequence[Transaction],
        attempts: Sequence[_Attempts],
        outcomes: list[Outcome | None],
    ) -> None:
        batch: list[tuple[int, Plan]] = []
        objects: list[RawObject] = []
        taken: set[Key] = set()
        for index, tx in enumerate(transactions):
            held = self._hot_base(tx)
            if held is None or taken & tx.write.keys():
                continue
            (key,) = tx.write
            update, built, envelope = self._planner.hot(
                tx, held, attempts[index].stamp, linear=self._linear
            )
            taken.add(key)
            objects += built.objects
            batch.append((index, Plan([update], [], {key: built.commit}, {key: envelope})))
        self._repository.objects.write(objects)
        for start in range(0, len(batch), MAX_REFS):
            part = batch[start : start + MAX_REFS]
            for index, plan in part:
                attempts[index].plans.append(plan)
            results = self._remote.push([plan.updates[0] for _, plan in part], atomic=False)
            for index, plan in part:
                result = results[plan.updates[0].ref]
                if result.state is PushState.DONE:
                    outcomes[index] = self._committed(plan)
                else:
                    self._note(attempts[index], plan, {plan.updates[0].ref: result})

    def _hot_base(self, tx: Transaction) -> Held | None:
        """Return the live record that ``tx`` alone moves, if it does that and we know it."""
        if len(tx.write) != 1 or tx.moves:
            return None
        (key,) = tx.write
        expected = tx.expect[key]
        if expected is ABSENT or tx.write[key] is DELETE:
            return None
        latest = self._latest()
        known = latest.held.get(key) if latest else None
        if known is not None and known.version == str(expected) and known.place is not Place.LIVE:
            return None
        envelope = self._reader.envelope(Oid(expected))
        if envelope is None or envelope.key != key:
            return None
        return Held(Oid(expected), envelope, Place.LIVE)

    # --- all others: look, plan, push, and look again until the outcome is certain

    def _commit_one(self, tx: Transaction, attempts: _Attempts) -> Outcome:
        extra = [self._layout.target(move.target) for move in tx.moves]
        began = self._clock.elapsed()
        turn = 0
        while True:
            if turn:
                # Lost a race for something that we do not depend on: the tip of the board, a
                # lock file. Spread out, then look: a stale look would lose the next one too.
                self._clock.sleep(self._rng.uniform(0.0, min(1.5, 0.02 * 2.0**turn)))
            turn += 1
            state = self._look(extra)
            if attempts.plans and self._is_ours(state, attempts):
                return self._settle(state, tx, attempts)
            atomic = self._remote.supports_atomic is not False
            try:
                plan = self._planner.plan(
                    state, tx, attempts.stamp, linear=self._linear, atomic=atomic
                )
            except DamagedRecord as error:
                return Rejected(error.message, code="damaged")
            if isinstance(plan, Conflict):
                return plan
            if attempts.refusals >= _REFUSALS or attempts.unsent > _UNSENT:
                return Rejected(attempts.last.reason, attempts.ref)
            waited = self._clock.elapsed() - began
            if waited > _PATIENCE:
                why = f"others were faster for {waited:.0f} seconds ({attempts.last.reason})"
                return Rejected(why, attempts.ref, "contention")
            if waited > _LOCKED and turn > _LOCKED_TURNS and plan.board_commit is None:
                why = f"locked for {waited:.0f} seconds ({attempts.last.reason})"
                return Rejected(why, attempts.ref, "contention")
            outcome = self._push(tx, plan, attempts)
            if outcome is not None:
                return outcome

    def _push(self, tx: Transaction, plan: Plan, attempts: _Attempts) -> Outcome | None:
        """Send ``plan``; return the outcome if it is certain, None when it must be looked up."""
        if not plan.updates:
            return self._committed(plan)
        self._repository.objects.write(plan.objects)
        many = len(plan.updates) > 1
        if many and self._remote.supports_atomic is False:
            if tx.moves and tx.write:
                return Rejected("the host has no atomic push", code="no_atomic")
            return self._push_in_steps(plan, attempts)
        attempts.plans.append(plan)
        results = self._remote.push(plan.updates, atomic=many)
        if all(result.state is PushState.DONE for result in results.values()):
            return self._committed(plan)
        self._note(attempts, plan, results)
        return None

    def _push_in_steps(self, plan: Plan, attempts: _Attempts) -> Outcome | None:
        """Send the updates one by one, on a host without atomic push.

        Records first, in the order in which they were written, then the board, then deletions:
        whatever is cut off in between, no record is lost and the refs are the truth.
        """
        attempts.plans.append(plan)
        attempts.stepwise = True
        board = self._layout.board
        ordered = sorted(plan.updates, key=lambda u: (u.new is None, u.ref == board))
        for update in ordered:
            result = self._remote.push([update], atomic=False)[update.ref]
            if result.state is not PushState.DONE:
                self._note(attempts, plan, {update.ref: result})
                return None
        return self._committed(plan)

    def _note(self, attempts: _Attempts, plan: Plan, results: Mapping[str, RefResult]) -> None:
        refused = [(r, s) for r, s in results.items() if s.state is PushState.REFUSED]
        if refused:
            attempts.ref, attempts.last = refused[0]
            replaced = any(e.heartbeat for e in plan.envelopes.values())
            if replaced and not self._linear and "non-fast-forward" in attempts.last.reason:
                self._linear = True
            else:
                attempts.refusals += 1
            return
        for ref, result in results.items():
            if result.state is not PushState.DONE:
                attempts.ref, attempts.last = ref, result
        if all(result.state is PushState.UNSENT for result in results.values()):
            attempts.unsent += 1
        if self._remote.supports_atomic is False and not attempts.stepwise:
            attempts.plans.remove(plan)  # it never left this machine

    def _is_ours(self, state: State, attempts: _Attempts) -> bool:
        """Tell whether one of our attempts was applied after all.

        A transaction is applied whole: one member that has our nonce in its history is proof for
        all. Where it was sent in steps, every member must have it.
        """
        nonce = attempts.stamp.transaction

        def applied(key: Key) -> bool:
            held = state.held.get(key)
            numbers = {p.envelopes[key].seq for p in attempts.plans if key in p.envelopes}
            return held is not None and any(
                self._reader.includes(held, number, nonce) for number in numbers
            )

        written = {key for plan in attempts.plans for key in plan.envelopes}
        if written:
            return (all if attempts.stepwise else any)(applied(key) for key in written)
        commits = [plan.board_commit for plan in attempts.plans]
        return any(c is not None and self._reader.board_includes(state, c) for c in commits)

    def _settle(self, state: State, tx: Transaction, attempts: _Attempts) -> Outcome:
        """Finish a transaction of which a part is written: all of it, or nothing.

        A server that was killed half way, or that hides one of the refs, may have applied only
        some updates. The others are rolled forward, each by CAS on what it was planned upon. If
        one cannot be (somebody else has moved it, the host refuses it), what is written is taken
        back: no record may claim what is not there.
        """
        nonce = attempts.stamp.transaction
        versions: dict[Key, Version] = {}
        for key, envelope in attempts.plans[-1].envelopes.items():
            held = state.held.get(key)
            version = held.version if held is not None else None
            if held is not None and held.completed and held.envelope.transaction == nonce:
                version = self._complete(key, held)
            elif held is None or not self._reader.includes(held, envelope.seq, nonce):
                version = None
            if version is None:
                return self._take_back(tx, attempts, Conflict({}))
            versions[key] = Version(version)
        for move in tx.moves:
            failed = self._roll_forward(state, move)
            if failed is not None:
                return self._take_back(tx, attempts, failed)
        return Committed(versions)

    def _complete(self, key: Key, held: Held) -> Oid | None:
        """Write the half of ``key`` that the server lost; None if somebody else has moved it."""
        built = build_version(held.envelope, self._repository.objects.format)
        self._repository.objects.write(built.objects)
        standing = held.version if held.place is Place.LIVE else None
        update = RefUpdate(self._layout.ref(key), standing, built.commit)
        result = self._remote.push([update], atomic=False)[update.ref]
        return built.commit if result.state is PushState.DONE else None

    def _roll_forward(self, state: State, move: Move) -> Outcome | None:
        """Move a branch that was left behind its record; return why not, None if it is there."""
        ref = self._layout.target(move.target)
        current = state.refs.get(ref)
        if current == move.new:
            return None
        if current != move.old:
            if self._reader.branch_includes(state, ref, move.new):
                return None  # it was moved, and moved on since
            return Conflict({}, {move.target: current})
        result = self._remote.push([RefUpdate(ref, move.old, move.new)], atomic=False)[ref]
        if result.state is PushState.DONE:
            return None
        if result.state is PushState.REFUSED:
            return Rejected(result.reason, ref)
        return Unknown(f"{ref}: {result.reason}")

    def _take_back(self, tx: Transaction, attempts: _Attempts, why: Outcome) -> Outcome:
        """Undo what is written, and return ``why`` it was; Unknown if that cannot be done."""
        if isinstance(why, Unknown):
            return why  # the branch may be there: nothing is known well enough to be undone
        undone = self._undo(tx, attempts)
        if not undone:
            return Unknown("a transaction was half applied and could not be taken back yet")
        if isinstance(why, Conflict) and not why.moved:
            return Conflict(find_conflicts(self._look(()), tx, self._layout))
        return why

    def _undo(self, tx: Transaction, attempts: _Attempts) -> bool:
        """Write the records of a half-applied transaction back to what they were.

        Only where ours is still the newest version: what others have made of it since stays.
        Returns whether nothing of ours stands any more as the newest version.
        """
        state = self._look(())
        ours = {oid for plan in attempts.plans for oid in plan.versions.values()}
        restore: dict[Key, Mapping[str, object]] = {}
        expect: dict[Key, Version] = {}
        for key, version in tx.expect.items():
            held = state.held.get(key)
            old = self._reader.envelope(Oid(version)) if version is not ABSENT else None
            if held is not None and held.version in ours:
                if old is None:
                    return False  # it was created: a deletion is not for us to decide
                restore[key], expect[key] = old.value, Version(held.version)
        if not restore:
            return True
        undo = Transaction(
            expect=expect, write=restore, subject=f"undo: {tx.subject}", actor=tx.actor
        )
        return isinstance(self._commit_one(undo, _Attempts(self._stamp())), Committed)

    def _committed(self, plan: Plan) -> Committed:
        for key, version in plan.versions.items():
            self._reader.learn(version, plan.envelopes[key])
        return Committed({key: Version(oid) for key, oid in plan.versions.items()})


def _settled(tx: Transaction) -> Transaction:
    """Return ``tx`` with its values as they will be read back. Raises InvalidInput."""
    written = encode_writes(tx)
    return replace(
        tx,
        write={
            key: DELETE if isinstance(body, Delete) else decode_value(body)
            for key, body in written.items()
        },
    )
