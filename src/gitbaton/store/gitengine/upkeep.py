"""Upkeep of the board: fold what is finished, stage what is next, mend what is torn.

Anybody may do it at any time; a refused push starts again from a new look. It changes where
records stand and never what they say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace

from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import Oid
from gitbaton.git.fast.turns import Turns
from gitbaton.git.remote import PushState, RefUpdate, Remote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.gitengine.cards import Card
from gitbaton.store.gitengine.envelope import build_version
from gitbaton.store.gitengine.parking import MAX_REFS
from gitbaton.store.gitengine.plan import BoardEdit, Plan, Stamp
from gitbaton.store.gitengine.planner import Planner, permanent
from gitbaton.store.gitengine.reader import Reader
from gitbaton.store.gitengine.staging import Staging
from gitbaton.store.gitengine.state import Held, Place, State
from gitbaton.store.model import Key, Value
from gitbaton.store.protocol import BoardPolicy, TidyReport

FOLD_AT = 16  # finished records that make a fold worth a push
REFRESH_AFTER = 60.0  # seconds between refreshes of the board's pages by one process
SETTLED_AFTER = 60.0  # seconds that a record stays live whose version moved branches, see _folds
_TURNS = 6
_NAME, _EMAIL = "gitbaton", "board@gitbaton.invalid"


@dataclass(slots=True)
class Work:
    """What one round of upkeep would do."""

    fold: list[Key]
    stage: list[Key]
    mend: list[Key]
    refresh: list[Key]

    @property
    def is_due(self) -> bool:
        return bool(self.stage or self.mend) or len(self.fold) >= FOLD_AT


class Upkeep:
    """Folds, stages, mends and refreshes on one remote."""

    def __init__(
        self,
        repository: CoordinationRepository,
        remote: Remote,
        reader: Reader,
        planner: Planner,
        policy: BoardPolicy,
        *,
        look: Callable[[], State],
        moved: Callable[[Mapping[Key, Held]], None],
        latest: Callable[[], State | None],
        turns: Turns | None,
    ) -> None:
        """``look()`` asks the remote; ``moved(records)`` is told of those that stand elsewhere.

        ``latest()`` is what was seen last; ``turns``: those of the processes of this machine.
        """
        self._latest = latest
        self._turns = turns
        self._look = look
        self._moved = moved
        self._staging = Staging(policy)
        self._repository = repository
        self._remote = remote
        self._reader = reader
        self._planner = planner
        self._policy = policy
        self._prefix = f"{policy.collection}/"
        self._refreshed: float | None = None
        self._met: dict[Oid, float] = {}  # when a finished version with branches was first seen

    def run(self, *, force: bool, stamp: Callable[[], Stamp], now: float) -> TidyReport:
        """Do what is due (``force``: everything), and report it.

        Of the processes of one machine that find the same thing due, one does it.
        """
        before = self._latest()
        with nullcontext() if self._turns is None else self._turns.take() as turn:
            others_did = turn is not None and turn.waited and self._has_moved_since(before)
            if others_did and not force:
                return TidyReport(notes=("another process has just brought it up to date",))
            return self._run(force=force, stamp=stamp, now=now)

    def _has_moved_since(self, before: State | None) -> bool:
        board = self._planner.layout.board
        tip = self._remote.list([board]).refs.get(board)
        return before is not None and tip != before.board.tip

    def _run(self, *, force: bool, stamp: Callable[[], Stamp], now: float) -> TidyReport:
        folded = staged = mended = 0
        refreshed = False
        notes: list[str] = []
        for _ in range(_TURNS):
            state = self._look()
            if not state.held and not state.torn:
                break
            mended += self._complete(state, notes)
            work = self._work(state, None if force else now)
            stale = self._refreshed is None or now - self._refreshed >= REFRESH_AFTER
            anything = work.fold or work.stage or work.mend or work.refresh
            if not anything or not (force or work.is_due or stale):
                break
            done = self._push(state, work, stamp())
            if done is None:
                notes.append("another machine was faster; looked again")
                continue
            folded += len(done.fold)
            staged += len(done.stage)
            mended += len(done.mend)
            refreshed, self._refreshed = True, now
            if len(work.fold) < MAX_REFS and not force:
                break
        return TidyReport(folded, staged, mended, refreshed, tuple(notes))

    def _work(self, state: State, now: float | None) -> Work:
        mine = {k: h for k, h in state.held.near.items() if k.startswith(self._prefix)}
        live = {k: h for k, h in mine.items() if h.place is Place.LIVE}
        mend = [k for k, h in mine.items() if self._misplaced(state, k, h)]
        finished = {k: h for k, h in live.items() if k not in mend and self._folds(h)}
        fold = self._settled(finished, now)[:MAX_REFS]
        values: dict[str, Value] = {self._name(k): h.envelope.value for k, h in live.items()}
        # What is live may all wait for what is parked: refs must not pile up for that.
        room = max(0, 2 * self._policy.live_window - len(live))
        count = min(self._policy.wanted(values), MAX_REFS, room)
        refresh = [
            k
            for k, h in live.items()
            if k not in fold and k not in mend and self._changed(state, h)
        ]
        stage = self._staging.first(state.held, count, fits=lambda key: self._is_whole(state, key))
        return Work(fold, stage, mend, refresh)

    def _settled(self, finished: Mapping[Key, Held], now: float | None) -> list[Key]:
        """Return those that may be folded at ``now`` (None: all).

        A server killed within a landing may have moved the record and not the branch; workers
        roll the branch forward, by what live records say. They are given the time for that.
        """
        if now is None:
            return list(finished)
        moved = [held.version for held in finished.values() if held.envelope.moves]
        self._met = {version: self._met.get(version, now) for version in moved}
        return [
            key
            for key, held in finished.items()
            if held.version not in self._met or now - self._met[held.version] >= SETTLED_AFTER
        ]

    def _push(self, state: State, work: Work, stamp: Stamp) -> Work | None:
        plan, edit = Plan(), BoardEdit()
        atomic = self._remote.supports_atomic is not False
        deletes: list[RefUpdate] = []
        for key in work.fold:
            held = state.held[key]
            edit.park(self._name(key), self._planner.card(plan, held.version, held.envelope))
            edit.keep.append(held.version)
            deletes.append(RefUpdate(self._ref(key), held.version, None))
        for key in work.stage:
            held = state.held[key]
            self._planner.materialise(plan, held)
            edit.mark(self._name(key), self._planner.card(plan, held.version, held.envelope))
            plan.updates.append(RefUpdate(self._ref(key), None, held.version))
        for key in work.mend:
            self._mend(state, plan, edit, deletes, key)
        for key in work.refresh:
            held = state.held[key]
            edit.mark(self._name(key), self._planner.card(plan, held.version, held.envelope))
            edit.keep.append(permanent(held))
        self._planner.move_board(
            plan, state, edit, _NAME, _EMAIL, _subject(work), stamp, render=True
        )
        plan.updates += deletes
        self._repository.objects.write(plan.objects)
        if not self._sent(plan, atomic=atomic):
            return None
        places = {Place.PARKED: work.fold, Place.LIVE: work.stage}
        self._moved(
            {
                key: replace(state.held[key], place=place)
                for place, keys in places.items()
                for key in keys
            }
        )
        return work

    def _sent(self, plan: Plan, *, atomic: bool) -> bool:
        if len(plan.updates) > 1 and not atomic:
            return self._push_in_steps(plan)
        results = self._remote.push(plan.updates, atomic=len(plan.updates) > 1)
        return all(result.state is PushState.DONE for result in results.values())

    def _push_in_steps(self, plan: Plan) -> bool:
        """Stage, then board, then delete: cut off anywhere, every record is still somewhere."""
        board = plan.updates[0]
        creates = [u for u in plan.updates[1:] if u.new is not None]
        deletes = [u for u in plan.updates[1:] if u.new is None]
        for update in (*creates, board, *deletes):
            result = self._remote.push([update], atomic=False)[update.ref]
            if result.state is not PushState.DONE:
                return False
        return True

    def _mend(
        self, state: State, plan: Plan, edit: BoardEdit, deletes: list[RefUpdate], key: Key
    ) -> None:
        held = state.held[key]
        name, ref = self._name(key), self._ref(key)
        standing = state.refs.get(ref)
        card = self._planner.card(plan, held.version, held.envelope)
        if held.place is Place.LOST:  # marked live, no ref: the board's copy is the truth
            self._planner.materialise(plan, held)
            plan.updates.append(RefUpdate(ref, None, held.version))
        elif standing is not None and (
            held.place is Place.PARKED or self._folded_version(state, name) == held.version
        ):
            # A fold that was cut off before its deletions, or a ref that came too late.
            edit.park(name, card)
            edit.keep.append(standing)
            deletes.append(RefUpdate(ref, standing, None))
            return
        edit.mark(name, card)

    def _folds(self, held: Held) -> bool:
        """Tell whether the record may leave its ref.

        Not while it is one half of a transaction that others have a part in: a listing may still
        show their half as it was before, and only the records near at hand are compared for that.
        """
        return self._policy.finished(held.envelope.value) and not held.envelope.companions

    def _is_whole(self, state: State, key: Key) -> bool:
        """Tell whether a parked record gives the version that its card names.

        Where somebody has edited the card by hand, there is no such version to make a ref of.
        """
        try:
            self._planner.materialise(Plan(), state.held[key])
        except DamagedRecord:
            return False
        return True

    def _misplaced(self, state: State, key: Key, held: Held) -> bool:
        name = self._name(key)
        if held.place is Place.PARKED:
            return self._ref(key) in state.refs
        known = name in state.board.live and name not in state.board.parked
        return held.place is Place.LOST or not known

    def _folded_version(self, state: State, name: str) -> Oid | None:
        card = state.board.parked.get(name)
        return card.version if isinstance(card, Card) else None

    def _changed(self, state: State, held: Held) -> bool:
        """Tell whether the board shows another transition than the last (heartbeats: no news)."""
        name = self._name(Key(held.envelope.key))
        shown = self._reader.mark(name, state.board.live.get(name))
        if shown is None:
            return True
        if held.envelope.heartbeat and shown.heartbeat:
            return shown.after != held.envelope.after
        return shown.transaction != held.envelope.transaction

    def _complete(self, state: State, notes: list[str]) -> int:
        """Roll a half-applied transaction forward: write the half that only its partner has."""
        count = 0
        for key, held in state.held.near.items():
            if not held.completed:
                continue
            built = build_version(held.envelope, self._repository.objects.format)
            self._repository.objects.write(built.objects)
            standing = held.version if held.place is Place.LIVE else None
            update = RefUpdate(self._ref(key), standing, built.commit)
            result = self._remote.push([update], atomic=False)[update.ref]
            if result.state is PushState.DONE:
                notes.append(f"completed {held.envelope.subject!r} on {key}")
                count += 1
        return count

    def _name(self, key: Key) -> str:
        return key.removeprefix(self._prefix)

    def _ref(self, key: Key) -> str:
        return self._planner.layout.ref(key)


def _subject(work: Work) -> str:
    parts: Mapping[str, list[Key]] = {
        "fold": work.fold,
        "stage": work.stage,
        "mend": work.mend,
        "refresh": work.refresh,
    }
    return "board: " + (
        ", ".join(f"{verb} {len(keys)}" for verb, keys in parts.items() if keys) or "refresh"
    )
