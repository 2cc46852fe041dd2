"""Ages of rescues: counted from this machine's first sight, on its own clock (I5)."""

from __future__ import annotations

from gitbaton.core.clock import ManualClock
from gitbaton.core.ids import Oid
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import Rescue
from gitbaton.work.aging import RescueAges

ONE, TWO = Rescue("t1", 1, Oid("a" * 40)), Rescue("t2", 1, Oid("b" * 40))
DAY = 86400.0


def test_age_counts_from_the_first_sight() -> None:
    clock = ManualClock()
    local = MemoryStore(clock=clock)
    ages = RescueAges(local, clock)
    assert ages.older_than(DAY, [ONE]) == []
    clock.advance(DAY + 1)
    assert RescueAges(local, clock).older_than(DAY, [ONE, TWO]) == [ONE]
    clock.advance(DAY)
    assert ages.older_than(DAY, [ONE, TWO]) == [ONE]
    clock.advance(1)
    assert ages.older_than(DAY, [TWO, ONE]) == [TWO, ONE]


def test_a_dry_run_remembers_nothing() -> None:
    clock = ManualClock()
    ages = RescueAges(MemoryStore(clock=clock), clock)
    ages.older_than(DAY, [ONE], remember=False)
    clock.advance(2 * DAY)
    assert ages.older_than(DAY, [ONE]) == []


def test_what_is_gone_is_forgotten() -> None:
    clock = ManualClock()
    ages = RescueAges(MemoryStore(clock=clock), clock)
    ages.older_than(DAY, [ONE])
    ages.older_than(DAY, [])
    clock.advance(2 * DAY)
    assert ages.older_than(DAY, [ONE]) == []


def test_a_clock_set_back_starts_the_age_anew() -> None:
    clock = ManualClock()
    ages = RescueAges(MemoryStore(clock=clock), clock)
    ages.older_than(DAY, [ONE])
    clock.jump_wall(-10 * DAY)
    assert ages.older_than(DAY, [ONE]) == []
    clock.advance(DAY + 1)
    assert ages.older_than(DAY, [ONE]) == [ONE]
