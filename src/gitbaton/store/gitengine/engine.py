"""The git engine: records as refs on any git remote, changed by compare-and-swap pushes.

The protocol, with what happens when anything is killed between any two steps, is in
docs/design/protocol.md.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.errors import GitFailed
from gitbaton.core.ids import new_nonce
from gitbaton.git.objectstore import MissingObject
from gitbaton.git.remote import Remote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.gitengine.layout import Layout
from gitbaton.store.gitengine.reader import Reader
from gitbaton.store.gitengine.recollection import Recollection
from gitbaton.store.gitengine.records import DamageBelow, Records, live_records
from gitbaton.store.gitengine.state import State
from gitbaton.store.model import Change, Choice, Key, Outcome, Snapshot, Transaction
from gitbaton.store.protocol import BoardPolicy, TidyReport

if TYPE_CHECKING:
    from gitbaton.git.fast.turns import Turns
    from gitbaton.store.gitengine.committing import Committer
    from gitbaton.store.gitengine.plan import Plan, Stamp
    from gitbaton.store.gitengine.planner import Planner
    from gitbaton.store.gitengine.upkeep import Upkeep


class GitStore:
    """A ``Store`` on the git remote ``remote``. See ``store.protocol.Store``.

    What changes things is imported and made when it is first used: most commands only read.
    """

    def __init__(
        self,
        repository: CoordinationRepository,
        remote: Remote,
        *,
        policy: BoardPolicy,
        clock: Clock,
        rng: random.Random,
        layout: Layout | None = None,
        open_turns: Callable[[], Turns | None] = lambda: None,
    ) -> None:
        """``open_turns``: of the processes of this machine at the upkeep of the board."""
        self.layout = layout or Layout()
        self._repository = repository
        self._remote = remote
        self._policy = policy
        self._clock = clock
        self._rng = rng
        self._open_turns = open_turns
        self._reader = Reader(repository, remote, self.layout, policy.collection, clock, rng)
        self._recollection = Recollection(self.layout, clock)

    def read(self, prefix: str = "") -> Snapshot:
        return self._snapshot(self._look(), prefix)

    def recall(self, prefix: str = "") -> Snapshot | None:
        latest = self._recollection.latest
        return self._snapshot(latest, prefix) if latest is not None else None

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        with self._noting_gaps():
            return self._committer.commit(transactions)

    def commit_first(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        with self._noting_gaps():
            return self._committer.commit_first(alternatives, count)

    def history(self, key: Key | None = None, *, limit: int | None = None) -> list[Change]:
        from gitbaton.store.gitengine.history import History

        changes = History(self._repository, self._reader).changes
        state = self._look()
        with self._noting_gaps():
            return changes(state, key, limit=limit)

    def tidy(self, *, force: bool = False) -> TidyReport:
        return self._upkeep.run(force=force, stamp=self._stamp, now=self._clock.elapsed())

    def close(self) -> None:
        self._repository.close()

    @cached_property
    def _planner(self) -> Planner:
        from gitbaton.store.gitengine.planner import Planner

        return Planner(self._repository.objects, self.layout, self._policy)

    @cached_property
    def _committer(self) -> Committer:
        from gitbaton.store.gitengine.committing import Committer

        return Committer(
            self._repository,
            self._remote,
            self._reader,
            self._planner,
            clock=self._clock,
            rng=self._rng,
            stamp=self._stamp,
            look=self._look,
            latest=lambda: self._recollection.latest,
            learn=self._learn,
        )

    @cached_property
    def _upkeep(self) -> Upkeep:
        from gitbaton.store.gitengine.upkeep import Upkeep

        return Upkeep(
            self._repository,
            self._remote,
            self._reader,
            self._planner,
            self._policy,
            look=self._look,
            moved=self._recollection.lay,
            latest=lambda: self._recollection.latest,
            turns=self._open_turns(),
        )

    @contextmanager
    def _noting_gaps(self) -> Iterator[None]:
        """Let the next look mend what is found missing here below a board that was read."""
        try:
            yield
        except (MissingObject, GitFailed):
            self._repository.objects.gap.note()
            raise

    def _look(self, extra: Sequence[str] = ()) -> State:
        state = self._reader.look(extra)
        self._recollection.see(state)
        return state

    def _learn(self, plan: Plan) -> None:
        for key, version in plan.versions.items():
            self._reader.learn(version, plan.envelopes[key])
        self._recollection.learn(plan)

    def _snapshot(self, state: State, prefix: str) -> Snapshot:
        return Snapshot(
            Records(state.held, prefix, self.layout),
            live_records(state.held, prefix, self.layout),
            DamageBelow(state.damaged, prefix, self.layout),
            state.asked,
            state.answered,
        )

    def _stamp(self) -> Stamp:
        from gitbaton.store.gitengine.plan import Stamp

        now = self._clock.now()
        return Stamp(new_nonce(), rfc3339(now), int(now.timestamp()))
