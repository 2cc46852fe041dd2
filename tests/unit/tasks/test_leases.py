"""Time as durations on one observer's clock (I5), in memory and kept between runs."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import RemoteUnreachable
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import Record, Snapshot, Version
from gitbaton.tasks.leases import (
    Observation,
    Sight,
    Subject,
    expiry,
    look,
    look_interval,
    subjects,
    time_left,
)
from gitbaton.tasks.model import Task, encode_task
from gitbaton.tasks.observations import Observer
from gitbaton.tasks.view import View, read_tasks
from tests.unit.tasks.desk import OID, claimed, task, view_of

LEASE = Subject("lease", "v1", 300.0)


def after_looks(*looks: tuple[float, float]) -> Observation:
    seen: Observation | None = None
    for asked, answered in looks:
        seen = look(seen, LEASE, origin="o", asked=asked, answered=answered)
    assert seen is not None
    return seen


def test_sight_starts_after_the_reply() -> None:
    assert after_looks((0, 50)).watched == 0


def test_time_runs_from_a_reply_to_the_next_question() -> None:
    assert after_looks((0, 10), (60, 70)).watched == 50
    assert after_looks((0, 10), (60, 70), (90, 95)).watched == 70


def test_a_gap_counts_at_most_its_cap() -> None:
    assert after_looks((0, 0), (10_000, 10_000)).watched == 300
    assert after_looks((0, 0), (10_000, 10_000), (10_100, 10_100)).watched == 400


def test_another_mark_cap_or_clock_starts_afresh() -> None:
    seen = after_looks((0, 0), (100, 100))
    for subject, origin in (
        (Subject("lease", "v2", 300.0), "o"),
        (Subject("lease", "v1", 200.0), "o"),
        (LEASE, "after-reboot"),
    ):
        assert look(seen, subject, origin=origin, asked=200, answered=200).watched == 0


def test_an_older_look_changes_nothing() -> None:
    seen = after_looks((0, 0), (100, 100))
    assert look(seen, LEASE, origin="o", asked=90, answered=95) == seen


def test_overlapping_looks_count_nothing_twice() -> None:
    seen = after_looks((0, 10))
    assert look(seen, LEASE, origin="o", asked=5, answered=20).watched == 0


def test_a_lease_expires_exactly_when_it_was_watched_that_long() -> None:
    held = claimed()
    assert expiry(held, Sight(lease=math.nextafter(900, 0))) is None
    assert expiry(held, Sight(lease=900)) == "lease"
    assert expiry(task(), Sight(lease=1e9)) is None


def test_a_timeout_leaves_the_worker_a_third_of_the_lease_to_end_it_first() -> None:
    held = claimed(timeout=600)
    assert expiry(held, Sight(epoch=899)) is None
    assert expiry(held, Sight(epoch=900)) == "timeout"
    assert expiry(claimed(), Sight(epoch=1e9)) is None


def test_an_announced_landing_is_left_alone_for_one_lease_more() -> None:
    """Its branch may have moved already: time for somebody to see that the task is done."""
    landing = {"branch": "task/t", "old": None, "commit": OID}
    held = claimed(landing=landing)
    assert expiry(held, Sight(lease=math.nextafter(1800, 0))) is None
    assert expiry(held, Sight(lease=1800)) == "lease"
    late = claimed(landing=landing, timeout=600)
    assert expiry(late, Sight(epoch=1799)) is None
    assert expiry(late, Sight(epoch=1800)) == "timeout"


def lasting(lease: float) -> Task:
    held = claimed()
    assert held.claim is not None
    claim = msgspec.structs.replace(held.claim, lease=lease)
    return msgspec.structs.replace(held, claim=claim)


def test_a_reaper_looks_as_often_as_the_shortest_lease_needs() -> None:
    assert look_interval([], lease=90) == 30
    assert look_interval([task(), lasting(15), lasting(30)], lease=90) == 5
    assert look_interval([lasting(86400)], lease=900) == 60
    assert look_interval([lasting(1e-9)], lease=900) == 1


def test_what_is_watched() -> None:
    def kinds(t: object) -> list[str]:
        return [s.kind for s in subjects(t, Version("v"))]  # type: ignore[arg-type]

    assert kinds(claimed()) == ["lease"]
    assert kinds(claimed(timeout=1)) == ["lease", "epoch"]
    assert kinds(task(delay=3)) == ["delay"]
    assert kinds(task()) == []
    assert kinds(task(status="review")) == []


def test_a_back_off_may_pass_during_an_outage() -> None:
    assert time_left(task(delay=30), Sight(delay=10)) == 20
    assert time_left(task(delay=30), Sight(delay=31)) == 0
    [subject] = subjects(task(delay=1800), Version("v"))
    assert subject.cap == 1800


# --- kept between runs


def seen_at(clock: ManualClock, version: str = "v1", **fields: Any) -> View:
    held = claimed(**fields)
    records = {held.key: Record(Version(version), encode_task(held))}
    now = clock.elapsed()
    return read_tasks(Snapshot(records, records, asked=now, answered=now))


def lease_sight(observer: Observer, clock: ManualClock, version: str = "v1") -> float:
    return observer.look(seen_at(clock, version))[claimed().id].lease


def test_observations_outlive_the_process() -> None:
    clock = ManualClock()
    local = MemoryStore(clock=clock)
    assert lease_sight(Observer(local, clock, "r"), clock) == 0
    clock.advance(200)
    assert lease_sight(Observer(local, clock, "r"), clock) == 200
    clock.advance(200)
    assert lease_sight(Observer(local, clock, "r"), clock, "v2") == 0


def test_remotes_do_not_share_sights() -> None:
    clock = ManualClock()
    local = MemoryStore(clock=clock)
    lease_sight(Observer(local, clock, "r"), clock)
    clock.advance(200)
    assert lease_sight(Observer(local, clock, "other"), clock) == 0


def test_a_reboot_starts_afresh() -> None:
    clock = ManualClock(origin="boot-1")
    local = MemoryStore(clock=clock)
    lease_sight(Observer(local, clock, "r"), clock)
    later = ManualClock(start=5000, origin="boot-2")
    assert lease_sight(Observer(local, later, "r"), later) == 0


def test_sights_from_this_clocks_future_are_not_believed() -> None:
    clock = ManualClock(start=5000)
    local = MemoryStore(clock=clock)
    lease_sight(Observer(local, clock, "r"), clock)
    earlier = ManualClock(start=1000)
    assert lease_sight(Observer(local, earlier, "r"), earlier) == 0
    earlier.advance(100)
    assert lease_sight(Observer(local, earlier, "r"), earlier) == 100


def test_quick_looks_in_a_row_lose_no_time() -> None:
    clock = ManualClock()
    observer = Observer(MemoryStore(clock=clock), clock, "r")
    lease_sight(observer, clock)
    for _ in range(100):
        clock.advance(0.1)
        total = lease_sight(observer, clock)
    assert math.isclose(total, 10.0)


def test_two_observers_of_one_machine_never_gain_time() -> None:
    clock = ManualClock()
    local = MemoryStore(clock=clock)
    one, other = Observer(local, clock, "r"), Observer(local, clock, "r")
    lease_sight(one, clock)
    for observer in (other, one, other, one):
        clock.advance(50)
        total = lease_sight(observer, clock)
        assert total <= clock.elapsed() - 1000.0
    assert total == 200


class BrokenStore(MemoryStore):
    def read(self, prefix: str = "") -> Snapshot:
        raise RemoteUnreachable("disk full")


def test_what_is_recalled_is_no_look() -> None:
    """I5: only looks prove that a version stood; what we changed is watched from its first look."""
    clock = ManualClock()
    observer = Observer(MemoryStore(clock=clock), clock, "r")
    shown = seen_at(clock)
    observer.look(shown)
    renewed = seen_at(clock, "v2")  # a change of our own, in what that look has shown
    clock.advance(100)
    assert observer.recall(shown) == {claimed().id: Sight(lease=0)}
    assert observer.recall(renewed) == {}
    assert lease_sight(observer, clock, "v2") == 0
    clock.advance(100)
    assert lease_sight(observer, clock, "v2") == 100
    assert observer.recall(renewed) == {claimed().id: Sight(lease=100)}


def test_an_observer_that_cannot_keep_anything_still_remembers_in_its_process() -> None:
    clock = ManualClock()
    observer = Observer(BrokenStore(clock=clock), clock, "r")
    lease_sight(observer, clock)
    clock.advance(100)
    assert lease_sight(observer, clock) == 100


def test_an_unreadable_file_starts_afresh() -> None:
    clock = ManualClock()
    local = MemoryStore(clock=clock)
    observer = Observer(local, clock, "r")
    lease_sight(observer, clock)
    [key] = local.read("sights/").records
    from tests.unit.tasks.desk import Desk

    desk = Desk()
    desk.memory = local
    desk.put(key, {"seen": {"lease t": "nonsense"}})
    clock.advance(100)
    assert lease_sight(observer, clock) == 0


def test_nothing_to_watch_writes_nothing() -> None:
    clock = ManualClock()
    local = MemoryStore(clock=clock)
    assert Observer(local, clock, "r").look(view_of(task())) == {}
    assert not local.read().records
