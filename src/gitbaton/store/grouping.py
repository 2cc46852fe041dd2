"""One push for the commits of many threads: who comes while one is under way goes with the next.

Who waits for whom, and what becomes of the others when a leader dies, is in
docs/design/group-commit.md.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError
from gitbaton.store.calls import Call, Rider, are_hot, is_hot
from gitbaton.store.deferred import are_awaited
from gitbaton.store.model import (
    Change,
    Choice,
    Key,
    Outcome,
    Snapshot,
    Spared,
    Transaction,
    Unknown,
)
from gitbaton.store.protocol import Store, TidyReport
from gitbaton.store.values import encode_writes

Window: TypeAlias = Callable[[int, float], float]
"""How many seconds more the landings shall wait for company: so many wait, the first so long."""

Riders: TypeAlias = Callable[[], Sequence[Rider]]
"""What may go along with a push that leaves now. Must not wait for anything."""

_TICK = 0.1  # seconds between two questions to the window
_HELD = 3.0  # seconds that a renewal waits for what may end its claim; others wait with it


def never_wait(waiting: int, waited: float) -> float:
    """Be the window of a store whose landings wait for nobody."""
    return 0.0


def no_riders() -> Sequence[Rider]:
    """Be the riders of a store that takes nobody along."""
    return ()


@dataclass(slots=True, eq=False)
class _Lane:
    """Calls that may share a push, in the order in which they came; ``led``: by some thread."""

    waiting: list[Call] = field(default_factory=list)
    led: bool = False


class GroupingStore:
    """A ``Store`` for the threads of one process, on another one. See ``store.protocol.Store``.

    Commits that move branches wait for company as long as ``window`` says; those that move single
    records wait for nobody. A renewal waits while a change of its own record is being decided.
    """

    def __init__(
        self,
        inner: Store,
        *,
        clock: Clock,
        window: Window = never_wait,
        riders: Riders = no_riders,
    ) -> None:
        self._inner = inner
        self._clock = clock
        self._window = window
        self._riders = riders
        self._changed = threading.Condition()
        self._pending: list[Call] = []  # all that is not decided yet, in any lane or none
        self._hot = _Lane()
        self._beats = _Lane()
        self._landing = _Lane()

    def read(self, prefix: str = "") -> Snapshot:
        return self._inner.read(prefix)

    def recall(self, prefix: str = "") -> Snapshot | None:
        return self._inner.recall(prefix)

    def history(self, key: Key | None = None, *, limit: int | None = None) -> list[Change]:
        return self._inner.history(key, limit=limit)

    def tidy(self, *, force: bool = False) -> TidyReport:
        return self._inner.tidy(force=force)

    def close(self) -> None:
        self._inner.close()

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        if not transactions:
            return []
        for tx in transactions:
            encode_writes(tx)  # what cannot be written is refused here, not among others
        held = self._held_back(transactions)
        return self._commit_around(transactions, held) if held else self._commit(transactions)

    def _commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        """Commit in the lane that is for such transactions, or in none."""
        call = Call(transactions, since=self._clock.elapsed())
        if all(is_hot(tx) for tx in transactions):
            # A push of others may hang for longer than a lease: renewals wait for none.
            renews = all(tx.heartbeat for tx in transactions)
            return _outcomes(self._join(self._beats if renews else self._hot, call))
        if any(tx.moves for tx in transactions):
            return _outcomes(self._join(self._landing, call))
        return _outcomes(self._pass(call))

    def commit_first(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        call = Call(alternatives, since=self._clock.elapsed(), count=count)
        for tx in call.wanted:
            encode_writes(tx)
        if are_hot(alternatives) and not are_awaited(alternatives):
            return self._join(self._hot, call)
        return self._pass(call)

    def _pass(self, call: Call) -> list[Choice]:
        """Commit what shares no push: it moves the board, or several records."""
        with self._announced(call):
            with suppress(BatonError):  # it is in the call
                self._carry([call], ())
            return call.answer()

    # --- lanes

    def _join(self, lane: _Lane, call: Call) -> list[Choice]:
        """Go with the next push of ``lane``, leading it if nobody does."""
        with self._announced(call):
            with self._changed:
                lane.waiting.append(call)
                self._changed.notify_all()
            try:
                while not self._is_led(lane, call):
                    self._lead(lane)
            finally:
                with self._changed:
                    if call in lane.waiting:
                        lane.waiting.remove(call)
            return call.answer()

    def _is_led(self, lane: _Lane, call: Call) -> bool:
        """Wait while others lead; return False, and take the lead, if ``call`` is left over."""
        with self._changed:
            self._changed.wait_for(lambda: call.decided or not lane.led)
            if call.decided:
                return True
            lane.led = True
            return False

    def _lead(self, lane: _Lane) -> None:
        """Send what waits in ``lane``. Whatever ends this thread, nobody waits for it for ever."""
        batch: list[Call] = []
        try:
            with self._changed:
                if lane is self._landing:
                    self._await_company(lane)
                batch += _take(lane)
            self._carry(batch, self._along(batch) if lane is self._hot else ())
        except BatonError:
            pass  # told to all in the batch
        finally:
            with self._changed:
                lane.led = False
                for call in batch:
                    if not call.decided:
                        call.fail_unknown("the thread that sent it has ended")
                self._changed.notify_all()

    def _await_company(self, lane: _Lane) -> None:
        first = lane.waiting[0].since
        # A branch that is there already may be moved by others while we wait.
        while not any(call.is_contended for call in lane.waiting):
            more = self._window(len(lane.waiting), self._clock.elapsed() - first)
            if more <= 0:
                return
            self._changed.wait(min(more, _TICK))

    def _carry(self, batch: Sequence[Call], riders: Sequence[Rider]) -> None:
        """Commit a batch; tell every call in it what came of it, or the error that is raised."""
        try:
            if len(batch) == 1 and batch[0].count is not None and not riders:
                outcomes = self._inner.commit_first(batch[0].transactions, batch[0].count)
                batch[0].choices = list(outcomes)
                return
            sent = [tx for call in batch for tx in call.wanted]
            rest = iter(self._inner.commit([*sent, *(rider.transaction for rider in riders)]))
        except BatonError as error:
            for call in batch:
                call.error = error
            raise
        for call in batch:
            call.take([next(rest) for _ in call.wanted])
        for rider, outcome in zip(riders, rest, strict=True):
            rider.settle(outcome)

    def _along(self, batch: Sequence[Call]) -> list[Rider]:
        """Return the riders whose records nobody else is about to change."""
        try:
            riders = self._riders()
        except Exception:  # noqa: BLE001 - nobody waits for a rider, all wait for this push
            return []
        with self._changed:
            busy = {key for call in (*self._pending, *batch) for key in call.keys}
        return [rider for rider in riders if not busy & rider.transaction.write.keys()]

    # --- renewals of what is being decided

    @contextmanager
    def _announced(self, call: Call) -> Iterator[None]:
        """Let renewals of what ``call`` changes wait until it is decided."""
        with self._changed:
            self._pending.append(call)
        try:
            yield
        finally:
            with self._changed:
                if not call.decided:
                    call.fail_unknown("it was interrupted")
                self._pending.remove(call)
                self._changed.notify_all()

    def _held_back(self, transactions: Sequence[Transaction]) -> dict[int, Call]:
        """Return which of ``transactions`` are renewals that have to wait, and for what."""
        held: dict[int, Call] = {}
        with self._changed:
            for index, tx in enumerate(transactions):
                for call in self._pending:
                    if tx.heartbeat and call.ends & tx.write.keys():
                        held[index] = call
        return held

    def _commit_around(
        self, transactions: Sequence[Transaction], held: dict[int, Call]
    ) -> list[Outcome]:
        """Commit all but the ``held`` at once, and each of those when what it waits for is decided.

        One whose record was changed has its answer then; it need not be sent. One that has waited
        long is sent all the same: a landing may hang, and whoever renews this renews others too.
        """
        until = self._clock.elapsed() + _HELD
        free = [index for index in range(len(transactions)) if index not in held]
        outcomes: dict[int, Outcome] = {}
        if free:
            now = self._commit([transactions[index] for index in free])
            outcomes = dict(zip(free, now, strict=True))
        again: list[int] = []
        for index, call in held.items():
            self._await_decision(call, until)
            overtaken = call.overtook(transactions[index])
            if overtaken is None:
                again.append(index)
            else:
                outcomes[index] = overtaken
        if again:
            try:
                late = self._commit([transactions[index] for index in again])
            except BatonError as error:
                if not outcomes:
                    raise
                late = [Unknown(error.message)] * len(again)
            outcomes.update(zip(again, late, strict=True))
        return [outcomes[index] for index in range(len(transactions))]

    def _await_decision(self, call: Call, until: float) -> None:
        with self._changed:
            while not call.decided and self._clock.elapsed() < until:
                self._changed.wait(_TICK)


def _take(lane: _Lane) -> list[Call]:
    """Take what goes in one push: all that waits, of calls with alternatives only the first."""
    batch: list[Call] = []
    for call in list(lane.waiting):
        if call.count is None or all(other.count is None for other in batch):
            lane.waiting.remove(call)
            batch.append(call)
    return batch


def _outcomes(choices: Sequence[Choice]) -> list[Outcome]:
    """Return the outcomes of a call without alternatives: none of it was spared."""
    return [choice for choice in choices if not isinstance(choice, Spared)]
