"""The queue on a git remote, where a record may be damaged, late or half written."""

from __future__ import annotations

import random

from gitbaton.core.clock import SystemClock
from gitbaton.core.ids import TaskId
from gitbaton.store.memory import MemoryStore
from gitbaton.store.protocol import Store
from gitbaton.tasks.claims import Claimant
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.observations import Observer
from gitbaton.tasks.queue import Draft, Queue
from gitbaton.tasks.settings import QueueSettings
from tests.integration.store.place import ACTOR, Place

TASK_REF = "refs/baton/tasks/x"
LOCK_REF = "refs/baton/locks/paths"


def open_queue(store: Store) -> Queue:
    clock = SystemClock()
    return Queue(
        store,
        clock=clock,
        rng=random.Random(1),
        settings=QueueSettings(project="p"),
        gatekeeper=GateKeeper(project="p"),
        observer=Observer(MemoryStore(clock=clock), clock, "remote"),
    )


def who(name: str) -> Claimant:
    return Claimant(name, f"worker-{name}", f"machine-{name}")


def test_half_a_claim_is_seen_by_who_has_read_the_task_before(place: Place) -> None:
    """I6: the server kept the reservation and lost the task's own half."""
    here, there = open_queue(place.store(0)), open_queue(place.store(1))
    drafts = [Draft(title="x", id="x", paths=["a/**"]), Draft(title="y", id="y", paths=["b/**"])]
    here.add(drafts, actor=ACTOR)
    here.claim(who("bob"), ids=["y"])  # so that the record of reserved paths exists
    before = there.view().versions[TaskId("x")]
    here.claim(who("eve"), ids=["x"])
    place.git("update-ref", TASK_REF, before)
    assert there.get("x").status == "in-progress"
