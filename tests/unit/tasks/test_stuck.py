"""A task that cannot be written keeps nobody from the others (I4)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gitbaton.core.errors import NothingToClaim
from gitbaton.store.model import Outcome, Rejected, Transaction
from gitbaton.tasks.model import task_key
from gitbaton.tasks.queue import Queue
from tests.unit.tasks.desk import Desk, Meddler, who


class Locked(Meddler):
    """A store on whose remote a killed server left the lock of one task."""

    stuck = task_key("stuck")

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        return [
            Rejected("locked", f"refs/baton/{self.stuck}", "contention")
            if self.stuck in tx.write
            else super(Locked, self).commit([tx])[0]
            for tx in transactions
        ]


@pytest.fixture
def queue() -> Queue:
    """A queue with three tasks, of which the first to be claimed is locked."""
    desk = Desk()
    desk.add("stuck", priority=0)
    desk.add("first")
    desk.add("second")
    return desk.join(Locked(desk.memory))


def test_the_others_are_claimed(queue: Queue) -> None:
    assert {queue.claim(who())[0].task.id for _ in range(2)} == {"first", "second"}


def test_the_others_are_claimed_in_one_batch_with_it(queue: Queue) -> None:
    assert {c.task.id for c in queue.claim(who(), count=3)} == {"first", "second"}


def test_one_that_was_edited_by_hand_keeps_nobody_from_the_others() -> None:
    desk = Desk()
    desk.add("t1", priority=0)
    desk.add("t2")
    desk.store.instead = lambda txs: [Rejected("tasks/t1: not what it says", code="damaged")]
    assert desk.queue.claim(who())[0].task.id == "t2"


def test_when_nothing_else_is_left_it_is_named(queue: Queue) -> None:
    queue.claim(who(), count=3)
    with pytest.raises(NothingToClaim, match="refs/baton/tasks/stuck is locked") as caught:
        queue.claim(who())
    assert (caught.value.code, caught.value.next) == ("lost", "baton doctor")
