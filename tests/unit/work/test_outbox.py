"""The outbox: in order, whatever the wall clock does, and each entry in one pair of hands."""

from __future__ import annotations

import os

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.core.process import Process, find_process
from gitbaton.store.memory import MemoryStore
from gitbaton.work.outbox import Outbox

CLOCK = ManualClock()
DEAD = Process(pid=1, start="never", origin=CLOCK.origin)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def outbox(clock: ManualClock) -> Outbox:
    return Outbox(MemoryStore(clock=clock), clock)


def living(clock: ManualClock) -> Process:
    found = find_process(os.getpid(), origin=clock.origin)
    assert found is not None
    return found


def test_entries_come_in_the_order_in_which_they_were_made(
    outbox: Outbox, clock: ManualClock
) -> None:
    for number in range(20):  # all within one millisecond
        outbox.put("add", f"t{number}", {"number": number})
    clock.jump_wall(-86400)
    outbox.put("add", "t20", {"number": 20})
    clock.jump_wall(2 * 86400)
    outbox.put("add", "t21", {"number": 21})
    assert [entry.body["number"] for entry in outbox.entries()] == list(range(22))


def test_an_entry_is_taken_by_one(outbox: Outbox, clock: ManualClock) -> None:
    me = living(clock)
    entry = outbox.put("block", "t1", {})
    taken = outbox.take(entry, me)
    assert taken is not None
    assert outbox.take(entry, me) is None, "it is not as it was"
    assert outbox.take(outbox.entries()[0], me) is None, "a living process is at it"
    outbox.give_up(taken)
    [given] = outbox.entries()
    assert given.owner is None
    assert outbox.take(given, me) is not None


def test_what_a_dead_process_had_can_be_taken(outbox: Outbox, clock: ManualClock) -> None:
    entry = outbox.put("land", "t1", {"x": 1}, owner=DEAD)
    taken = outbox.take(entry, living(clock))
    assert taken is not None
    assert (taken.body, taken.kind, taken.at) == ({"x": 1}, "land", entry.at)


def test_dropping_twice_is_quiet_and_never_drops_what_changed(
    outbox: Outbox, clock: ManualClock
) -> None:
    entry = outbox.put("fail", "t1", {})
    taken = outbox.take(entry, living(clock))
    assert taken is not None
    outbox.drop(entry)  # as it was before it was taken
    assert len(outbox.entries()) == 1
    outbox.drop(taken)
    outbox.drop(taken)
    assert outbox.entries() == []
