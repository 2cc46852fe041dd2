"""Since when something has been seen: on one clock, in one boot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.store.memory import MemoryStore
from gitbaton.workspace.sightings import Sightings


@pytest.fixture
def local() -> Iterator[MemoryStore]:
    store = MemoryStore(clock=ManualClock())
    yield store
    store.close()


def test_time_counts_from_the_first_sight(local: MemoryStore, tmp_path: Path) -> None:
    clock = ManualClock()
    sightings = Sightings(local, clock, "probes")
    assert sightings.look(["a"]) == {"a": 0}
    clock.advance(100)
    assert Sightings(local, clock, "probes").look(["a", "b"]) == {"a": 100, "b": 0}
    clock.jump_wall(1e9)
    clock.advance(1)
    assert sightings.look(["b"]) == {"b": 1}
    assert sightings.look(["a"]) == {"a": 0}, "it was gone in between"


def test_another_boot_starts_anew(local: MemoryStore) -> None:
    """I5: readings of two boots, or of two machines that share a disk, are not compared."""
    Sightings(local, ManualClock(start=10), "probes").look(["a"])
    other = ManualClock(start=100_000, origin="other-boot")
    assert Sightings(local, other, "probes").look(["a"]) == {"a": 0}


def test_topics_are_apart(local: MemoryStore) -> None:
    clock = ManualClock()
    Sightings(local, clock, "probes").look(["a"])
    clock.advance(5)
    assert Sightings(local, clock, "others").look(["a"]) == {"a": 0}
