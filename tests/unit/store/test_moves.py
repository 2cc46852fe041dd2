"""Branches move with the records, or not at all; and only for whoever holds the claim (I2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import GitFailed, HostRefused
from gitbaton.core.ids import Oid
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import (
    ABSENT,
    Absent,
    Actor,
    Branch,
    Committed,
    Conflict,
    Key,
    Move,
    Record,
    Rejected,
    Rescue,
    Transaction,
    Value,
    Version,
    make_key,
)
from gitbaton.store.mover import BranchMover
from gitbaton.store.protocol import Store
from gitbaton.store.sqlite import SqliteStore
from tests.unit.store.branches import Branches
from tests.unit.store.faults import Crash, Faults, FaultyStore, crash

TASK = make_key("tasks", "task-001")
OTHER = make_key("tasks", "task-002")
MAIN, SIDE = Branch("main"), Branch("side")
ONE, TWO, THREE = (Oid(digit * 40) for digit in "123")

Open: TypeAlias = Callable[[BranchMover | None], Store]


@pytest.fixture(params=["memory", "sqlite"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens a store of each engine that has no git, with a mover or without."""
    opened: list[Store] = []

    def open_one(mover: BranchMover | None) -> Store:
        store: Store = (
            MemoryStore(clock=ManualClock(), mover=mover)
            if request.param == "memory"
            else SqliteStore(tmp_path / "store.db", clock=ManualClock(), mover=mover)
        )
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def branches() -> Branches:
    """Branches of which main is at ONE."""
    branches = Branches()
    branches.tips[MAIN] = ONE
    return branches


def landing(
    expected: Version | Absent, *moves: Move, key: Key = TASK, value: Value | None = None
) -> Transaction:
    """Return the transaction that finishes a task and moves branches."""
    return Transaction(
        expect={key: expected},
        write={key: value or {"status": "done"}},
        moves=moves,
        subject="done: task-001",
        actor=Actor("ada/w1"),
    )


def claimed(store: Store) -> Version:
    """Create the task; return the version that proves the claim."""
    (outcome,) = store.commit([landing(ABSENT, value={"status": "in-progress"})])
    assert isinstance(outcome, Committed)
    return outcome.versions[TASK]


def values(store: Store) -> Mapping[Key, Value]:
    return {key: record.value for key, record in store.read().records.items()}


def test_a_branch_moves_with_the_record(open_store: Open, branches: Branches) -> None:
    """I2."""
    store = open_store(branches)
    rescue = Rescue("task-001", 1, TWO)
    moves = Move(MAIN, ONE, TWO), Move(SIDE, None, TWO), Move(rescue, None, TWO)
    (outcome,) = store.commit([landing(claimed(store), *moves)])
    assert isinstance(outcome, Committed)
    assert branches.tips == {MAIN: TWO, SIDE: TWO, rescue: TWO}
    assert values(store) == {TASK: {"status": "done"}}


def test_nobody_lands_without_the_claim(open_store: Open, branches: Branches) -> None:
    """I2: the mover is not even asked when the record has changed hands."""
    store = open_store(branches)
    zombie = claimed(store)
    (taken,) = store.commit([landing(zombie, value={"status": "in-progress", "epoch": 2})])
    assert isinstance(taken, Committed)
    (outcome,) = store.commit([landing(zombie, Move(MAIN, ONE, TWO))])
    present = Record(taken.versions[TASK], {"status": "in-progress", "epoch": 2})
    assert outcome == Conflict({TASK: present})
    assert branches.tips == {MAIN: ONE}
    assert branches.calls == []


@pytest.mark.parametrize(("old", "new"), [(THREE, TWO), (None, TWO)])
def test_a_stale_branch_stops_the_record(
    open_store: Open, branches: Branches, old: Oid | None, new: Oid
) -> None:
    """I2."""
    store = open_store(branches)
    version = claimed(store)
    (outcome,) = store.commit([landing(version, Move(SIDE, None, TWO), Move(MAIN, old, new))])
    assert outcome == Conflict({}, {MAIN: ONE})
    assert branches.tips == {MAIN: ONE}
    assert store.read().records == {TASK: Record(version, {"status": "in-progress"})}


def test_a_missing_branch_is_reported_as_none(open_store: Open, branches: Branches) -> None:
    store = open_store(branches)
    (outcome,) = store.commit([landing(claimed(store), Move(SIDE, ONE, TWO))])
    assert outcome == Conflict({}, {SIDE: None})


def test_a_refusal_of_the_host_stops_the_record(open_store: Open, branches: Branches) -> None:
    """I2."""
    store = open_store(branches)
    version = claimed(store)
    branches.refusal = HostRefused("protected branch", ref="refs/heads/main")
    (outcome,) = store.commit([landing(version, Move(MAIN, ONE, TWO))])
    assert outcome == Rejected("protected branch", "refs/heads/main")
    assert store.read().records == {TASK: Record(version, {"status": "in-progress"})}


def test_a_failure_of_git_is_passed_on(open_store: Open, branches: Branches) -> None:
    """I4: nothing is written, and the store works on."""
    store = open_store(branches)
    version = claimed(store)
    branches.refusal = GitFailed(["git", "update-ref"], 128, "fatal: disk on fire")
    with pytest.raises(GitFailed):
        store.commit([landing(version, Move(MAIN, ONE, TWO))])
    branches.refusal = None
    (outcome,) = store.commit([landing(version, Move(MAIN, ONE, TWO))])
    assert isinstance(outcome, Committed)


def test_a_failure_does_not_hide_what_was_committed(open_store: Open, branches: Branches) -> None:
    """The outcomes of a call are all told, though a later transaction met a failure."""
    store = open_store(branches)
    version = claimed(store)
    branches.refusal = GitFailed(["git", "update-ref"], 128, "fatal: disk on fire")
    outcomes = store.commit([landing(ABSENT, key=OTHER), landing(version, Move(MAIN, ONE, TWO))])
    assert [type(outcome) for outcome in outcomes] == [Committed, Rejected]
    assert values(store) == {TASK: {"status": "in-progress"}, OTHER: {"status": "done"}}


def test_landings_of_one_call_are_independent(open_store: Open, branches: Branches) -> None:
    """I2: one branch that has moved on does not hold up the other."""
    store = open_store(branches)
    version = claimed(store)
    outcomes = store.commit(
        [
            landing(version, Move(MAIN, THREE, TWO)),
            landing(ABSENT, Move(SIDE, None, TWO), key=OTHER),
        ]
    )
    assert [type(outcome) for outcome in outcomes] == [Conflict, Committed]
    assert branches.tips == {MAIN: ONE, SIDE: TWO}


def test_a_move_without_a_record(open_store: Open, branches: Branches) -> None:
    """A rescue touches no record."""
    store = open_store(branches)
    rescue = Rescue("task-001", 1, TWO)
    wish = Transaction(
        expect={},
        write={},
        moves=[Move(rescue, None, TWO)],
        subject="rescue: task-001",
        actor=Actor("ada/w1"),
    )
    assert store.commit([wish]) == [Committed({})]
    assert branches.tips[rescue] == TWO


def test_without_a_mover_nothing_of_the_call_is_done(open_store: Open) -> None:
    store = open_store(None)
    with pytest.raises(ValueError, match="moves no branches"):
        store.commit([landing(ABSENT, key=OTHER), landing(ABSENT, Move(MAIN, ONE, TWO))])
    assert values(store) == {}


def test_a_crash_between_move_and_commit_is_made_good_by_the_retry(
    tmp_path: Path, branches: Branches
) -> None:
    """I2, I4: the claim is still current, and what has moved already counts as moved."""
    store = FaultyStore(tmp_path / "store.db", clock=ManualClock(), mover=branches)
    version = claimed(store)
    wish = landing(version, Move(MAIN, ONE, TWO))
    with Faults(on="before COMMIT", how=crash), pytest.raises(Crash):
        store.commit([wish])
    assert branches.tips == {MAIN: TWO}
    assert store.read().records == {TASK: Record(version, {"status": "in-progress"})}
    (outcome,) = store.commit([wish])
    assert isinstance(outcome, Committed)
    assert branches.tips == {MAIN: TWO}
    assert values(store) == {TASK: {"status": "done"}}
    store.close()
