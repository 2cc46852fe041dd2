"""The queue on a git remote, where a record may be damaged, late or half written."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest

from gitbaton.core.clock import SystemClock
from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import TaskId
from gitbaton.git.remote import RefResult, RefUpdate, Remote
from gitbaton.store.memory import MemoryStore
from gitbaton.store.protocol import Store
from gitbaton.tasks.claims import Claimant
from gitbaton.tasks.drafts import Draft
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.observations import Observer
from gitbaton.tasks.queue import Queue
from gitbaton.tasks.settings import QueueSettings
from tests.integration.store.place import ACTOR, Forwarding, Place

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


def damage(place: Place, ref: str) -> None:
    """Let ``ref`` name a commit that is no record."""
    blob = place.git("hash-object", "-w", "--stdin", stdin="{}")
    tree = place.git("mktree", stdin=f"100644 blob {blob}\trecord.json\n")
    name = ("-c", "user.name=mallory", "-c", "user.email=mallory@example.com")
    place.git("update-ref", ref, place.git(*name, "commit-tree", tree, "-m", "nonsense"))


def test_a_damaged_record_of_reservations_stops_only_tasks_with_paths(place: Place) -> None:
    """I8: what a hostile client wrote does not stop those who do not need it."""
    queue = open_queue(place.store(0))
    queue.add([Draft(title="x", id="x"), Draft(title="y", id="y", paths=["b/**"])], actor=ACTOR)
    damage(place, LOCK_REF)
    [won] = queue.claim(who("bob"), count=2)
    assert won.task.id == "x"
    for ids in ([], ["y"]):
        with pytest.raises(DamagedRecord, match="no task with paths can be claimed") as caught:
            queue.claim(who("bob"), ids=ids)
        assert caught.value.next == "baton doctor"
    assert queue.get("y").epoch == 0


class Overheard(Forwarding):
    """Keeps the refs of every push that moves something, in the order of the pushes."""

    def __init__(self, remote: Remote) -> None:
        super().__init__(remote)
        self.pushed: list[str] = []

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        if not atomic:
            self.pushed += [update.ref for update in updates]
        return self.inner.push(updates, atomic=atomic)


@pytest.mark.parametrize("reserved", [False, True])
def test_without_atomic_push_the_reservation_is_written_before_the_claim(
    place: Place, reserved: bool
) -> None:
    """I1: cut off between the two, paths are reserved for nobody; nobody works unreserved."""
    place.git("config", "receive.advertiseAtomic", "false")
    caught: list[Overheard] = []

    def wrap(remote: Remote) -> Remote:
        caught.append(Overheard(remote))
        return caught[0]

    queue = open_queue(place.store(0, wrap=wrap))
    drafts = [Draft(title="x", id="x", paths=["a/**"]), Draft(title="y", id="y", paths=["b/**"])]
    queue.add(drafts, actor=ACTOR)
    if reserved:
        queue.claim(who("eve"), ids=["y"])
    caught[0].pushed.clear()
    queue.claim(who("bob"), ids=["x"])
    assert caught[0].pushed == [LOCK_REF, TASK_REF]
