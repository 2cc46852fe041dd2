"""The git engine: records as refs on any git remote, changed by compare-and-swap pushes.

The protocol, with what happens when anything is killed between any two steps, is in
docs/design/protocol.md.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.ids import new_nonce
from gitbaton.git.remote import Remote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.gitengine.committing import Committer
from gitbaton.store.gitengine.history import History
from gitbaton.store.gitengine.layout import Layout
from gitbaton.store.gitengine.planner import Planner, Stamp, to_record
from gitbaton.store.gitengine.reader import Reader
from gitbaton.store.gitengine.state import Place, State
from gitbaton.store.gitengine.upkeep import Upkeep
from gitbaton.store.model import Change, Choice, Key, Outcome, Snapshot, Transaction
from gitbaton.store.protocol import BoardPolicy, TidyReport


class GitStore:
    """A ``Store`` on the git remote ``remote``. See ``store.protocol.Store``."""

    def __init__(
        self,
        repository: CoordinationRepository,
        remote: Remote,
        *,
        policy: BoardPolicy,
        clock: Clock,
        rng: random.Random,
        layout: Layout | None = None,
    ) -> None:
        self.layout = layout or Layout()
        self._repository = repository
        self._clock = clock
        self._reader = Reader(repository, remote, self.layout, policy.collection, clock, rng)
        self._planner = Planner(repository.objects, self.layout, policy)
        self._upkeep = Upkeep(repository, remote, self._reader, self._planner, policy)
        self._history = History(repository, self._reader)
        self._latest: State | None = None
        self._committer = Committer(
            repository,
            remote,
            self._reader,
            self._planner,
            clock=clock,
            rng=rng,
            stamp=self._stamp,
            look=self._look,
            latest=lambda: self._latest,
        )

    def read(self, prefix: str = "") -> Snapshot:
        return self._snapshot(self._look(), prefix)

    def recall(self, prefix: str = "") -> Snapshot | None:
        return self._snapshot(self._latest, prefix) if self._latest else None

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        return self._committer.commit(transactions)

    def commit_first(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        return self._committer.commit_first(alternatives, count)

    def history(self, key: Key | None = None, *, limit: int | None = None) -> list[Change]:
        return self._history.changes(self._look(), key, limit=limit)

    def tidy(self, *, force: bool = False) -> TidyReport:
        return self._upkeep.run(force=force, stamp=self._stamp, now=self._clock.elapsed())

    def close(self) -> None:
        self._repository.close()

    def _look(self, extra: Sequence[str] = ()) -> State:
        self._latest = self._reader.look(extra)
        return self._latest

    def _snapshot(self, state: State, prefix: str) -> Snapshot:
        records = {
            key: to_record(held, self.layout)
            for key, held in state.held.items()
            if key.startswith(prefix)
        }
        live = {key: r for key, r in records.items() if state.held[key].place is Place.LIVE}
        damaged = {k: why for k, why in state.damaged.items() if _concerns(k, prefix, self.layout)}
        return Snapshot(records, live, damaged, state.asked, state.answered)

    def _stamp(self) -> Stamp:
        now = self._clock.now()
        return Stamp(new_nonce(), rfc3339(now), int(now.timestamp()))


def _concerns(key: str, prefix: str, layout: Layout) -> bool:
    """Tell whether a damaged key, or a ref that is no record's, is below ``prefix``."""
    return key.startswith((prefix, layout.namespace + prefix))
