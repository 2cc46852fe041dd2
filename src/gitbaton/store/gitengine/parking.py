"""Which new records go to the board instead of the live window (pure)."""

from __future__ import annotations

from typing import Final

from gitbaton.store.gitengine.state import Place, State
from gitbaton.store.model import ABSENT, Delete, Key, Transaction, Value
from gitbaton.store.protocol import BoardPolicy

MAX_REFS: Final = 100
"""Refs created or deleted in one push; 1,000 deletions took a server 4-13 s."""


def parked_at_birth(policy: BoardPolicy, state: State, tx: Transaction) -> frozenset[Key]:
    """Return those records that ``tx`` creates which are parked.

    The window is filled with the first of them, so that whoever wants work finds it live. Of a few
    that come before what is live, as many go there although the window is full as a quarter more
    of it holds.
    """
    prefix = f"{policy.collection}/"

    def order(key: Key, value: Value) -> tuple[object, ...]:
        return policy.order(key.removeprefix(prefix), value)

    created = {
        key: value
        for key, value in tx.write.items()
        if not isinstance(value, Delete) and key.startswith(prefix) and tx.expect[key] is ABSENT
    }
    waiting = sorted(
        (key for key, value in created.items() if policy.parkable(value)),
        key=lambda key: order(key, created[key]),
    )
    if not waiting:
        return frozenset()
    live = {
        key: held.envelope.value
        for key, held in state.held.near.items()
        if held.place is Place.LIVE and key.startswith(prefix)
    }
    refs = MAX_REFS - (len(created) - len(waiting))
    window = policy.live_window - len(live) - (len(created) - len(waiting))
    room = min(window, refs)
    if room < len(waiting) <= refs:
        last = max((order(key, value) for key, value in live.items()), default=())
        urgent = sum(order(key, created[key]) < last for key in waiting)
        room = max(room, min(window + policy.live_window // 4, refs, urgent))
    return frozenset(waiting[max(room, 0) :])
