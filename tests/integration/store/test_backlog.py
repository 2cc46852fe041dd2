"""A long backlog: what is live after an add, what a look reads, what a snapshot keeps."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence

import pytest

from gitbaton.core.clock import SystemClock
from gitbaton.git.objects import Kind
from gitbaton.git.objectstore import ObjectStore
from gitbaton.store.gitengine import GitStore
from gitbaton.store.gitengine.parking import MAX_REFS
from gitbaton.store.model import ABSENT, DELETE, Key, Rejected, Snapshot, Value, make_key
from tests.contract.gitsite import PlainPolicy

from .place import Place, change, create, put, won

WINDOW = PlainPolicy.live_window


def names(start: int, stop: int) -> list[str]:
    """Return names in the order of the policy."""
    return [f"task-{number:05}" for number in range(start, stop)]


def add(store: GitStore, wanted: Sequence[str], value: Value | None = None) -> None:
    """Add records in one transaction."""
    keys = [make_key("tasks", name) for name in wanted]
    won(store.commit([change(dict.fromkeys(keys, ABSENT), {k: value or {"n": 0} for k in keys})]))


def edit_by_hand(place: Place, name: str, edit: Callable[[str], str]) -> None:
    """Change a parked record's file on the board, as somebody with an editor does."""
    path = next(
        line
        for line in place.git("ls-tree", "-r", "--name-only", "baton").splitlines()
        if line.endswith(f"/{name}.json")
    )
    text = edit(place.git("cat-file", "blob", f"baton:{path}"))
    blob = place.git("hash-object", "-w", "--stdin", stdin=text)
    place.git("read-tree", "baton")
    place.git("update-index", "--cacheinfo", f"100644,{blob},{path}")
    tree = place.git("write-tree")
    tip = place.git("commit-tree", tree, "-p", "baton", "-m", "hand")
    place.git("update-ref", "refs/heads/baton", tip)


def live(snapshot: Snapshot) -> list[str]:
    """Return the names of the live records."""
    return sorted(key.removeprefix("tasks/") for key in snapshot.live)


def test_a_bulk_add_fills_the_window_with_what_comes_first(place: Place) -> None:
    """So whoever wants work finds it live, and does not have to move the board for it."""
    store = place.store()
    add(store, names(0, 300))
    snapshot = place.store(1).read()
    assert live(snapshot) == names(0, WINDOW)
    assert len(snapshot.records) == len(list(snapshot.records)) == 300
    assert len(place.refs("refs/baton/tasks/")) == WINDOW
    assert place.git("rev-list", "--count", "--first-parent", "baton") == "2"


def test_a_bulk_add_never_makes_more_refs_than_one_push_may(place: Place) -> None:
    wide = PlainPolicy()
    wide.live_window = 1000
    store = place.store(policy=wide)
    add(store, names(0, 250))
    assert live(store.read()) == names(0, MAX_REFS)


def test_what_comes_before_the_live_ones_goes_live_though_the_window_is_full(place: Place) -> None:
    store = place.store()
    add(store, names(100, 200))
    create(store, "task-00900")
    urgent = names(0, WINDOW // 4 + 2)
    for name in urgent:
        create(store, name)
    now = live(store.read())
    assert now == [*urgent[: WINDOW // 4], *names(100, 100 + WINDOW)]
    assert place.store(1).read().records.keys() == store.read().records.keys()


def test_a_snapshot_of_a_long_backlog_does_not_change(place: Place) -> None:
    """I6: not even the part that nobody had looked at yet."""
    store, other = place.store(), place.store(1)
    add(store, names(0, 200))
    before = store.read()
    parked = [make_key("tasks", name) for name in names(150, 160)]
    there = other.read().records
    for key in parked[:3]:
        put(other, key, {"n": 1}, there[key].version)
    won(other.commit([change({parked[4]: there[parked[4]].version}, {parked[4]: DELETE})]))
    add(other, names(300, 310))
    after = store.read()
    assert len(after.records) == 209
    assert parked[4] not in after.records
    assert after.records[parked[0]].value == {"n": 1}
    assert {key.removeprefix("tasks/") for key in before.records} == set(names(0, 200))
    assert {record.value["n"] for record in before.records.values()} == {0}
    assert all(before.records[key].value == {"n": 0} for key in parked)


def test_a_value_of_a_parked_record_can_be_changed_without_harm(place: Place) -> None:
    """I3: the store's state changes by transactions only."""
    store = place.store()
    add(store, names(0, 50), {"list": [1]})
    key = make_key("tasks", "task-00049")
    snapshot = store.read()
    snapshot.records[key].value["list"].append(2)
    assert snapshot.records[key].value == store.read().records[key].value == {"list": [1]}


def test_a_look_after_one_change_reads_what_has_changed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cost grows with what changed, not with the backlog of some thousands."""
    asked: list[int] = []
    original = ObjectStore.find_many

    def counted(self: ObjectStore, wanted: Sequence[str]) -> list[tuple[Kind, bytes] | None]:
        asked.append(len(wanted))
        return original(self, wanted)

    store, other = place.store(), place.store(1)
    add(store, names(0, 4000))
    assert len(other.read().records) == 4000
    key = make_key("tasks", "task-03999")
    put(store, key, {"n": 1}, store.read().records[key].version)
    monkeypatch.setattr(ObjectStore, "find_many", counted)
    snapshot = other.read()
    assert snapshot.live[key].value == {"n": 1}
    assert sum(asked) < 80
    asked.clear()
    assert len(snapshot.records) == 4000
    assert sum(asked) < 80  # the shards that changed, no other
    asked.clear()
    fresh = place.store(2).read()
    assert fresh.records[make_key("tasks", "task-03000")].value == {"n": 0}
    assert sum(asked) < 160  # a process that knows nothing: the live ones and that record


def test_a_damaged_card_is_found_by_its_key_and_in_the_list(place: Place) -> None:
    """I8: it stops nobody, and nobody writes over it unseen."""
    store = place.store()
    add(store, names(0, 60))
    edit_by_hand(place, "task-00059", lambda text: "{}")
    key = make_key("tasks", "task-00059")
    snapshot = place.store(1).read()
    assert key in snapshot.damaged
    assert key not in snapshot.records
    assert list(snapshot.damaged) == [key]
    assert key not in list(snapshot.records)
    assert len(snapshot.records) == len(list(snapshot.records)) == 59


def test_a_card_edited_by_hand_keeps_no_other_parked(place: Place) -> None:
    """I4: it gives no version that a ref could have; the next ones are staged past it."""
    store = place.store()
    add(store, names(0, 60))
    snapshot = store.read()
    finished: dict[Key, Value] = {key: {"finished": True} for key in snapshot.live}
    for key, value in finished.items():
        put(store, key, value, snapshot.live[key].version)
    (bad,) = names(WINDOW, WINDOW + 1)
    edit_by_hand(place, bad, lambda text: text.replace('"n": 0', '"n": 1'))
    store.tidy(force=True)
    assert live(store.read()) == names(WINDOW + 1, WINDOW + 5)
    key = make_key("tasks", bad)
    record = store.read().records[key]
    (outcome,) = store.commit([change({key: record.version}, {key: {"n": 2}})])
    assert isinstance(outcome, Rejected)
    assert outcome.code == "damaged"


def test_staging_takes_the_next_in_order_as_the_board_changes(place: Place) -> None:
    store = place.store()
    add(store, names(0, 60))
    for _ in range(2):
        snapshot = store.read()
        finished: dict[Key, Value] = {key: {"finished": True} for key in snapshot.live}
        for key, value in finished.items():
            put(store, key, value, snapshot.live[key].version)
        store.tidy(force=True)
    first = WINDOW + 4
    assert live(store.read()) == names(first, first + 4)
    assert len(store.read().records) == 60


def test_the_pages_of_a_long_backlog_show_what_is_live(place: Place) -> None:
    store = place.store()
    add(store, names(0, 600))
    page = place.git("show", "baton:README.md")
    assert json.dumps(names(0, 1)[0]).strip('"') in page
    assert page.count("- 'task-") == WINDOW
    assert f"{600 - WINDOW} more" in page


def test_an_add_that_takes_long_to_plan_is_sent_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patience is for lost races: nobody has lost one who has not pushed yet."""
    store = place.store()
    hours = itertools.count(0, 3600)
    monkeypatch.setattr(SystemClock, "elapsed", lambda self: float(next(hours)))
    add(store, names(0, 30))
    assert len(store.read().records) == 30
