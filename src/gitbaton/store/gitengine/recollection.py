"""What was seen last, and what we have done since: the answer to ``Store.recall``.

It may be out of date. It never shows what never was: a change of ours is laid upon a look only
once the server has taken it, and only until a look that was asked for afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitbaton.core.clock import Clock
from gitbaton.store.gitengine.layout import Layout
from gitbaton.store.gitengine.state import Damage, Held, Holdings, Place, State
from gitbaton.store.model import Key

if TYPE_CHECKING:
    from gitbaton.store.gitengine.plan import Plan


@dataclass(frozen=True, slots=True)
class _Change:
    """What we wrote (None: deleted), and when we learned that it is done."""

    records: Mapping[Key, Held | None]
    at: float


class Recollection:
    """The latest state that one store knows of. Thread-safe."""

    def __init__(self, layout: Layout, clock: Clock) -> None:
        self._layout = layout
        self._clock = clock
        self._lock = threading.Lock()
        self._latest: State | None = None
        self._changes: list[_Change] = []

    @property
    def latest(self) -> State | None:
        """The state, None before the first look."""
        return self._latest

    def see(self, state: State) -> None:
        """Take the result of a look, unless a look that was asked for later is here already."""
        with self._lock:
            if self._latest is not None and self._latest.asked > state.asked:
                return
            self._changes = [change for change in self._changes if change.at > state.asked]
            for change in self._changes:
                state = self._laid_upon(state, change.records)
            self._latest = state

    def learn(self, plan: Plan) -> None:
        """Take a plan of ours that the server has applied."""
        live = {update.new for update in plan.updates}
        written = {
            key: Held(version, plan.envelopes[key], Place.LIVE if version in live else Place.PARKED)
            for key, version in plan.versions.items()
        }
        self.lay({**written, **dict.fromkeys(plan.deleted)})

    def lay(self, records: Mapping[Key, Held | None]) -> None:
        """Take changes of ours that the server has applied: records as they stand, or are gone."""
        with self._lock:
            self._changes.append(_Change(records, self._clock.elapsed()))
            if self._latest is not None:
                self._latest = self._laid_upon(self._latest, records)
            else:
                self._changes.clear()  # the first look is asked for after this

    def _laid_upon(self, state: State, records: Mapping[Key, Held | None]) -> State:
        near = dict(state.held.near)
        hidden = set(state.held.hidden)
        refs = dict(state.refs)
        for key, held in records.items():
            known = near.get(key)
            if held is None:
                near.pop(key, None)
                hidden.add(key)
                refs.pop(self._layout.ref(key), None)
            elif known is None or known.envelope.seq <= held.envelope.seq:
                near[key] = held
                hidden.discard(key)
                if held.place is Place.LIVE:
                    refs[self._layout.ref(key)] = held.version
        held_now = Holdings(state.collection, near, frozenset(hidden), state.board.parked)
        damaged = Damage(state.damaged.near, held_now)
        return replace(state, held=held_now, refs=refs, damaged=damaged)
