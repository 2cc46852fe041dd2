"""What upkeep leaves for later: landings that may be half done, refs that would pile up."""

from __future__ import annotations

import random
from collections.abc import Mapping

from gitbaton.core.clock import ManualClock
from gitbaton.store.gitengine import GitStore
from gitbaton.store.gitengine.upkeep import FOLD_AT, SETTLED_AFTER
from gitbaton.store.model import ABSENT, Branch, Move, Value, make_key
from tests.contract.gitsite import PlainPolicy

from .place import Place, change, create, won


class Eager(PlainPolicy):
    """A policy that always wants more live records."""

    live_window = 6

    def wanted(self, records: Mapping[str, Value]) -> int:
        return 50


def open_store(place: Place, clock: ManualClock, policy: PlainPolicy) -> GitStore:
    repository = place.repository(0)
    remote = place.transport(repository)
    return GitStore(repository, remote, policy=policy, clock=clock, rng=random.Random(7))


def test_a_landing_stays_live_until_workers_had_time_to_complete_it(place: Place) -> None:
    """I2: by what the live record says, a branch that a killed server left behind is moved."""
    clock = ManualClock()
    store = open_store(place, clock, PlainPolicy())
    landed = make_key("tasks", "landed")
    version = create(store, "landed")
    move = Move(Branch("work"), None, place.commit_file(0, "a.txt", "a"))
    won(store.commit([change({landed: version}, {landed: {"finished": True}}, move)]))
    for number in range(FOLD_AT):
        key = make_key("tasks", f"plain{number}")
        won(store.commit([change({key: ABSENT}, {key: {"finished": True}})]))
    assert store.tidy().folded == FOLD_AT
    assert landed in store.read().live
    clock.advance(SETTLED_AFTER - 1)
    assert store.tidy().folded == 0
    clock.advance(SETTLED_AFTER)
    assert store.tidy().folded == 1
    assert landed not in store.read().live
    assert store.read().records[landed].value == {"finished": True}


def test_a_person_who_folds_does_not_wait(place: Place) -> None:
    store = open_store(place, ManualClock(), PlainPolicy())
    key = make_key("tasks", "landed")
    move = Move(Branch("work"), None, place.commit_file(0, "a.txt", "a"))
    won(store.commit([change({key: ABSENT}, {key: {"finished": True}}, move)]))
    assert store.tidy(force=True).folded == 1


def test_live_records_that_wait_for_parked_ones_do_not_pile_up(place: Place) -> None:
    clock = ManualClock()
    store = open_store(place, clock, Eager())
    keys = [make_key("tasks", f"t{number:02}") for number in range(40)]
    won(store.commit([change(dict.fromkeys(keys, ABSENT), {key: {"n": 1} for key in keys})]))
    for _ in range(4):
        clock.advance(100)
        store.tidy()
    assert len(store.read().live) == 2 * Eager.live_window
