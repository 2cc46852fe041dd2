"""The view of all tasks: what is decoded anew, what is not, and what it tells besides."""

from __future__ import annotations

from gitbaton.store.model import Branch, Move, Record, Snapshot, Version
from gitbaton.tasks.model import Task, encode_task
from gitbaton.tasks.view import read_tasks
from tests.unit.tasks.desk import OID, claimed, task

OLD = Version("v-1")


def snapshot(shown: Task, version: Version, *moves: Move, provisional: bool = False) -> Snapshot:
    record = Record(version, encode_task(shown), provisional=provisional, moves=moves)
    return Snapshot({shown.key: record}, {shown.key: record})


def test_a_task_is_decoded_once_for_each_version() -> None:
    before = read_tasks(snapshot(task(), OLD))
    again = read_tasks(snapshot(task(), OLD), before)
    assert again.find("t") is before.find("t")
    assert read_tasks(snapshot(claimed(), Version("v-2")), again).find("t") == claimed()


def test_a_provisional_value_is_seen_although_its_version_is_known() -> None:
    """I6: half of a claim is on the server; the version there is still the one before it."""
    before = read_tasks(snapshot(task(), OLD))
    half = read_tasks(snapshot(claimed(), OLD, provisional=True), before)
    assert half.find("t") == claimed()
    assert half.provisional == {"t"}


def test_a_provisional_value_is_not_remembered() -> None:
    """I6: were the half taken back, its version has the old value again."""
    half = read_tasks(snapshot(claimed(), OLD, provisional=True))
    after = read_tasks(snapshot(task(), OLD), half)
    assert after.find("t") == task()
    assert not after.provisional


def test_what_moved_with_a_version_is_told() -> None:
    move = Move(Branch("main"), None, OID)
    before = read_tasks(snapshot(task(), OLD, move))
    assert before.moves == {"t": (move,)}
    assert read_tasks(snapshot(task(), OLD, move), before).moves == before.moves
    assert not read_tasks(snapshot(task(), Version("v-2")), before).moves
