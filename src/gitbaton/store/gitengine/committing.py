"""Commits transactions by compare-and-swap pushes, until the outcome of each is certain.

The protocol, with what happens when anything is killed between any two steps, is in
docs/design/protocol.md; how transactions share pushes in docs/design/group-commit.md.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError, DamagedRecord, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.git.remote import Remote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.deferred import are_awaited, expectation
from gitbaton.store.gitengine.attempts import Attempts
from gitbaton.store.gitengine.choosing import Choosing, Tries
from gitbaton.store.gitengine.parking import MAX_REFS
from gitbaton.store.gitengine.patience import lost_patience
from gitbaton.store.gitengine.plan import Plan, Stamp
from gitbaton.store.gitengine.planner import Planner
from gitbaton.store.gitengine.pushing import Pusher, Sent
from gitbaton.store.gitengine.reader import Reader
from gitbaton.store.gitengine.settling import Settler
from gitbaton.store.gitengine.state import Held, Place, State
from gitbaton.store.model import (
    ABSENT,
    DELETE,
    Choice,
    Conflict,
    Delete,
    Key,
    Outcome,
    Rejected,
    Transaction,
    Unknown,
    Version,
)
from gitbaton.store.values import decode_value, encode_writes

_CHOICES = 3  # pushes in which alternatives are tried before a look
_ROUNDS = 2  # pushes that transactions share after the first, before each goes alone


class Committer:
    """Carries out ``Store.commit`` and ``commit_first`` for the git engine. Thread-safe."""

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
        learn: Callable[[Plan], None],
    ) -> None:
        """``look(refs)`` asks the remote; ``latest()`` is what was seen last, without asking.

        ``learn(plan)`` is told of every plan that the server has surely applied.
        """
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
        self._pusher = Pusher(repository, remote, self._layout, learn)
        self._settler = Settler(
            repository, remote, reader, self._layout, look=look, commit=self._commit_alone
        )

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        """See ``store.protocol.Store.commit``."""
        tries = [self._begin(tx) for tx in transactions]
        try:
            self._push_hot(tries)
        except BatonError as error:
            _close(tries, tries, error)
        self._conclude(tries)
        return [tried.outcome for tried in tries if tried.outcome is not None]

    def commit_first(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        """See ``store.protocol.Store.commit_first``."""
        if are_awaited(alternatives):
            return self._commit_awaited(alternatives, count)
        tries = Tries(alternatives, self._begin)
        places = range(len(alternatives))
        try:
            for hot, run in groupby(
                places, key=lambda place: self._may_be_hot(alternatives, place)
            ):
                for part in [list(run)] if hot else [[place] for place in run]:
                    left = count - tries.won()
                    if left <= 0:
                        break
                    self._choose(tries, part, left) if hot else self._conclude([tries[part[0]]])
        except BatonError as error:
            _close(tries.made(), [tried for tried in tries.made() if tried.plans], error)
        return tries.choices()

    def _commit_awaited(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        """Commit some of what was parked when last seen, where the session shows that it is live.

        Claiming them where they are parked would move the board, for which all contend.
        """
        tries = Tries(alternatives, self._begin_awaited)
        try:
            self._choose(tries, range(len(alternatives)), count)
        except BatonError as error:
            _close(tries.made(), [tried for tried in tries.made() if tried.plans], error)
        return tries.choices()

    def _begin_awaited(self, tx: Transaction) -> Attempts:
        tx = _settled(tx)
        [(key, expected)] = tx.expect.items()
        latest = self._latest()
        held = None if latest is None else latest.held.get(key)
        if held is not None and held.version == str(expected):
            try:
                self._planner.materialise(Plan(), held)
                return Attempts(tx, self._stamp(), held)
            except DamagedRecord:
                pass  # a card that somebody has edited gives no version to stand upon
        return Attempts(tx, self._stamp())

    def _begin(self, tx: Transaction) -> Attempts:
        tx = _settled(tx)
        return Attempts(tx, self._stamp(), self._hot_base(tx))

    def _conclude(self, tries: Sequence[Attempts]) -> None:
        """Bring every open one to its outcome, several in one push where that can be.

        Raises what kept them from it, if nothing of any of them was ever sent.
        """
        try:
            self._share_rounds(tries)
            for tried in tries:
                self._try_alone(tried)
        except BatonError as error:
            _close(tries, tries, error)

    def _commit_alone(self, tx: Transaction) -> Outcome:
        tried = Attempts(tx, self._stamp())
        self._try_alone(tried)
        assert tried.outcome is not None
        return tried.outcome

    # --- transactions that move one live record: one shared push, no look before it

    def _push_hot(self, tries: Iterable[Attempts]) -> None:
        batch: list[Sent] = []
        taken: set[Key] = set()
        for tried in tries:
            if tried.base is not None and not taken & tried.tx.write.keys():
                taken |= tried.tx.write.keys()
                batch.append((tried, self._plan_hot(tried)))
        for start in range(0, len(batch), MAX_REFS):
            self._pusher.send(batch[start : start + MAX_REFS], atomic=False)

    def _plan_hot(self, tried: Attempts) -> Plan:
        assert tried.base is not None, "only hot transactions are planned without a look"
        (key,) = tried.tx.write
        update, built, envelope = self._planner.hot(
            tried.tx, tried.base, tried.stamp, linear=self._pusher.linear
        )
        plan = Plan([update], list(built.objects), {key: built.commit}, {key: envelope})
        if tried.base.place is Place.PARKED:
            self._planner.materialise(plan, tried.base)
        return plan

    def _may_be_hot(self, alternatives: Sequence[Transaction], place: int) -> bool:
        """Tell whether an alternative moves a live record that we know, and nothing else."""
        key, expected = expectation(alternatives, place)
        return expected is not ABSENT and self._live(key, expected) is not None

    def _hot_base(self, tx: Transaction) -> Held | None:
        """Return the live record that ``tx`` alone moves, if it does that and we know it."""
        if len(tx.write) != 1 or tx.moves:
            return None
        (key,) = tx.write
        expected = tx.expect[key]
        if expected is ABSENT or tx.write[key] is DELETE:
            return None
        return self._live(key, expected)

    def _live(self, key: Key, expected: Version) -> Held | None:
        latest = self._latest()
        known = latest.held.get(key) if latest else None
        if known is not None and known.version == str(expected) and known.place is not Place.LIVE:
            return None
        envelope = self._reader.envelope(Oid(expected))
        if envelope is None or envelope.key != key:
            return None
        return Held(Oid(expected), envelope, Place.LIVE)

    # --- several that are open: one look for all, one push for those of a kind

    def _share_rounds(self, tries: Sequence[Attempts]) -> None:
        for turn in range(_ROUNDS):
            open_ = [tried for tried in tries if tried.outcome is None and not tried.alone]
            if len(open_) < 2:
                return
            if turn:
                self._clock.sleep(self._rng.uniform(0.0, 0.05))
            state = self._look(self._refs_of(open_))
            planned = [(t, plan) for t in open_ if (plan := self._decide(state, t)) is not None]
            single, several = self._in_company(planned)
            if single:
                self._pusher.send(single, atomic=False)
            if several:
                self._pusher.send(several, atomic=True)

    def _in_company(self, planned: Iterable[Sent]) -> tuple[list[Sent], list[Sent]]:
        """Return those that may share a push: of one ref each, and of several refs each.

        No two touch the same ref; those that would wait for the next look. What moves the board
        is marked to go alone: it is refused as often as anybody else moves it.
        """
        single: list[Sent] = []
        several: list[Sent] = []
        taken: set[str] = set()
        for tried, plan in planned:
            refs = {update.ref for update in plan.updates}
            many = len(refs) > 1
            if plan.board_commit is not None or (many and self._remote.supports_atomic is False):
                tried.alone = True
            elif not refs:
                tried.outcome = self._pusher.committed(plan)
            elif not taken & refs and len(taken | refs) <= MAX_REFS:
                taken |= refs
                (several if many else single).append((tried, plan))
        return single, several

    # --- one that is open: look, plan, push, and look again until the outcome is certain

    def _try_alone(self, tried: Attempts) -> None:
        began = self._clock.elapsed()
        turn = 0
        while tried.outcome is None:
            if turn:
                # Lost a race for something that we do not depend on: the tip of the board, a
                # lock file. Spread out, then look: a stale look would lose the next one too.
                self._clock.sleep(self._rng.uniform(0.0, min(1.5, 0.02 * 2.0**turn)))
            turn += 1
            plan = self._decide(self._look(self._refs_of([tried])), tried)
            if plan is None:
                return
            waited = self._clock.elapsed() - began
            tried.outcome = lost_patience(tried, plan, waited, turn)
            if tried.outcome is None:
                self._pusher.push(tried, plan)

    def _decide(self, state: State, tried: Attempts) -> Plan | None:
        """Settle ``tried`` on what a look showed, or return what to push for it."""
        if tried.plans and self._settler.is_ours(state, tried):
            tried.outcome = self._settler.settle(state, tried)
            return None
        atomic = self._remote.supports_atomic is not False
        try:
            plan = self._planner.plan(
                state, tried.tx, tried.stamp, linear=self._pusher.linear, atomic=atomic
            )
        except DamagedRecord as error:
            tried.outcome = Rejected(error.message, code="damaged")
            return None
        if isinstance(plan, Conflict):
            tried.outcome = plan
            return None
        return plan

    # --- some of several alternatives

    def _choose(self, tries: Tries, places: Sequence[int], count: int) -> None:
        """Commit up to ``count`` of ``tries`` at ``places``, as the push sessions show them.

        Where somebody was faster the next ones are tried, which costs less than a look. What was
        not tried, has moved on or was lost to somebody is left without an outcome; but if nothing
        was won, those that were tried are settled by a look: a lock of the server looks like a lost
        race, and where nobody was faster after all they are tried again, no more than are wanted.
        """
        lost: list[Attempts] = []
        for _ in range(_CHOICES):
            wanted = min(count - tries.won(places), MAX_REFS)
            write = self._repository.objects.write
            choosing = Choosing(tries, places, wanted, self._layout, self._plan_hot, write)
            try:
                results = self._remote.push_chosen(choosing.choose)
            except RemoteUnreachable:  # surely nothing was sent
                choosing.forget()
                raise
            self._pusher.take(choosing.chosen, results)
            now_lost = [tried for tried, _ in choosing.chosen if tried.outcome is None]
            lost += now_lost
            if not now_lost or not all(tried.surely_raced for tried in now_lost):
                break
        doubtful = [tried for tried in lost if not tried.surely_raced]
        unclear = doubtful if tries.won(places) else lost
        if unclear:
            state = self._look(())
            for tried in unclear:
                self._decide(state, tried)
        self._conclude(doubtful)
        for tried in unclear:
            if tries.won(places) < count:
                self._conclude([tried])

    def _refs_of(self, tries: Iterable[Attempts]) -> list[str]:
        return [self._layout.target(target) for tried in tries for target in tried.targets]


def _close(sent: Sequence[Attempts], doubtful: Iterable[Attempts], error: BatonError) -> None:
    """Make the open ones of ``doubtful`` unknown; raise ``error`` if none was ``sent`` at all."""
    if not any(tried.plans or tried.outcome for tried in sent):
        raise error
    for tried in doubtful:
        if tried.outcome is None:
            tried.outcome = Unknown(error.message)


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
