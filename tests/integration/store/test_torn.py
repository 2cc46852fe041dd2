"""Half transactions on the server itself: read whole, mended by anybody (I4, I6).

A server that is killed within a ref transaction leaves some refs moved and others not. Each test
makes one such state by hand on the bare remote.
"""

from __future__ import annotations

import pytest

from gitbaton.store.model import ABSENT, Key, Value, make_key

from .place import Place, change, create, put, won

TASK = make_key("tasks", "task-001")
LOCK = make_key("locks", "paths")
TASK_REF = "refs/baton/tasks/task-001"
LOCK_REF = "refs/baton/locks/paths"


def value(place: Place, key: Key = TASK) -> object:
    """Return what a reader in a fresh clone sees."""
    return place.store(1).read().records[key].value


def test_a_live_mark_without_its_ref_is_read_from_the_board_and_mended(place: Place) -> None:
    """I6: an `add` whose board was moved and whose ref was not."""
    store = place.store()
    version = create(store, "task-001", {"n": 1})
    place.git("update-ref", "-d", TASK_REF)
    assert value(place) == {"n": 1}
    assert place.store(2).tidy(force=True).repaired == 1
    assert place.refs()[TASK_REF] == version
    assert store.read().records[TASK].version == version


def test_a_task_whose_ref_was_lost_can_be_claimed_before_anybody_mends_it(place: Place) -> None:
    version = create(place.store(), "task-001")
    place.git("update-ref", "-d", TASK_REF)
    claimed = put(place.store(1), TASK, {"n": 2}, version)
    assert place.refs()[TASK_REF] == claimed
    assert value(place) == {"n": 2}


def test_a_fold_cut_off_before_its_deletions_is_finished(place: Place) -> None:
    store = place.store()
    version = create(store, "task-001", {"finished": True})
    assert store.tidy(force=True).folded == 1
    assert TASK_REF not in place.refs()
    place.git("update-ref", TASK_REF, version)
    assert value(place) == {"finished": True}
    assert place.store(2).tidy(force=True).repaired == 1
    assert TASK_REF not in place.refs()
    assert store.read().records[TASK].version == version


def test_a_ref_that_went_on_after_its_fold_was_cut_off_is_marked_live_again(place: Place) -> None:
    """I3: the newer state is the truth, not the folded one."""
    store = place.store()
    version = create(store, "task-001", {"finished": True})
    store.tidy(force=True)
    place.git("update-ref", TASK_REF, version)
    newer = put(place.store(1), TASK, {"n": 2}, version)
    assert value(place) == {"n": 2}
    place.store(2).tidy(force=True)
    assert place.refs()[TASK_REF] == newer
    shown = place.git("ls-tree", "-r", "--name-only", "baton").splitlines()
    assert "live/task-001.json" in shown
    assert not [path for path in shown if path.startswith("tasks/")]


def test_a_ref_that_the_board_does_not_know_is_the_truth_and_gets_its_mark(place: Place) -> None:
    store = place.store()
    create(store, "other")
    before = place.git("rev-parse", "baton")
    version = create(store, "task-001", {"n": 1})
    place.git("update-ref", "refs/heads/baton", before)
    assert value(place) == {"n": 1}
    assert place.store(2).tidy(force=True).repaired == 1
    assert place.refs()[TASK_REF] == version
    assert "live/task-001.json" in place.git("ls-tree", "-r", "--name-only", "baton")


@pytest.mark.parametrize("behind", [TASK_REF, LOCK_REF])
def test_half_of_a_pair_is_completed_from_the_other_half(place: Place, behind: str) -> None:
    """I6: whichever half the server lost, everybody sees the whole, and upkeep writes it."""
    store = place.store()
    task = create(store, "task-001", {"status": "pending"})
    lock = put(store, LOCK, {"entries": []}, ABSENT)
    old = {TASK_REF: task, LOCK_REF: lock}[behind]
    both: dict[Key, Value] = {TASK: {"status": "in-progress"}, LOCK: {"entries": ["task-001"]}}
    won(store.commit([change({TASK: task, LOCK: lock}, both)]))
    place.git("update-ref", behind, old)
    seen = place.store(1).read().records
    assert {key: seen[key].value for key in both} == both
    assert place.store(2).tidy(force=True).repaired == 1
    assert place.refs()[behind] != old
    again = place.store(3).read().records
    assert {key: again[key].value for key in both} == both


def test_a_completed_half_can_be_written_at_once(place: Place) -> None:
    """I4: nobody has to wait for upkeep."""
    store = place.store()
    task = create(store, "task-001", {"n": 0})
    lock = put(store, LOCK, {"n": 0}, ABSENT)
    won(store.commit([change({TASK: task, LOCK: lock}, {TASK: {"n": 1}, LOCK: {"n": 1}})]))
    place.git("update-ref", LOCK_REF, lock)
    other = place.store(1)
    seen = other.read().records
    next_task, next_lock = seen[TASK].version, seen[LOCK].version
    won(
        other.commit([change({TASK: next_task, LOCK: next_lock}, {TASK: {"n": 2}, LOCK: {"n": 2}})])
    )
    assert [record.value for record in place.store(2).read().records.values()] == [{"n": 2}] * 2


def test_mending_a_whole_remote_changes_nothing(place: Place) -> None:
    store = place.store()
    create(store, "task-001")
    store.tidy(force=True)
    before = place.refs()
    report = place.store(1).tidy(force=True)
    assert report.repaired == 0
    assert place.refs() == before
