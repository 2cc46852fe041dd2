"""A backlog on a git board: what is remembered of it is what a fresh reader finds."""

from __future__ import annotations

from collections.abc import Mapping

from gitbaton.store.gitengine.records import Records
from gitbaton.store.model import Value
from gitbaton.tasks.board import TaskBoardPolicy
from gitbaton.tasks.drafts import Draft
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.queue import Queue
from gitbaton.tasks.readiness import Readiness
from gitbaton.tasks.view import View, read_tasks
from tests.contract.gitsite import PlainPolicy
from tests.integration.store.place import ACTOR, Place
from tests.integration.tasks.test_on_git import open_queue, who

MEANING = TaskBoardPolicy(live_window=4)


class SmallBoard(PlainPolicy):
    """The policy of tasks, with a window of four."""

    live_window = MEANING.live_window

    def finished(self, value: Value) -> bool:
        return MEANING.finished(value)

    def parkable(self, value: Value) -> bool:
        return MEANING.parkable(value)

    def wanted(self, records: Mapping[str, Value]) -> int:
        return MEANING.wanted(records)


KEEPER = GateKeeper(project="p")


def agree(place: Place, mine: View) -> None:
    """Check ``mine`` against what somebody finds who has never looked before."""
    fresh = read_tasks(place.store(1, policy=SmallBoard()).read())
    assert mine.pending == fresh.pending
    assert dict(mine.tasks) == dict(fresh.tasks)
    assert Readiness(mine, KEEPER).ready() == Readiness(fresh, KEEPER).ready()


def drain(queue: Queue, count: int) -> None:
    for number in range(count):
        [won] = queue.claim(who(f"agent-{number}"))
        queue.done(won.token)


def test_what_is_remembered_of_a_backlog_is_what_is_there(place: Place) -> None:
    """Through adding, claiming, staging, folding and editing; without reading all again."""
    store = place.store(0, policy=SmallBoard())
    queue, other = open_queue(store), open_queue(place.store(2, policy=SmallBoard()))
    queue.add([Draft(title=f"t{n}", id=f"t{n}") for n in range(16)], actor=ACTOR)
    agree(place, before := queue.view())
    assert before.has_parked
    drain(other, 4)
    store.tidy(force=True)
    other.edit("t15", {"priority": 0}, actor=ACTOR)
    other.add([Draft(title="new", id="new", needs=["t0"])], actor=ACTOR)
    after = queue.view()
    assert isinstance(after.snapshot.records, Records)
    changed = after.snapshot.records.changed_since(before.snapshot.records)
    assert changed is not None
    assert 4 <= len(changed) < 17
    agree(place, after)
    drain(queue, 4)
    agree(place, queue.view())
