"""Tasks decoded when they are asked for: complete, cheap, and never of another snapshot."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.ids import TaskId
from gitbaton.store.model import Key, Record, Snapshot, Value, Version
from gitbaton.tasks.decoded import RANK, Decoded, Memory
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.model import Status, Task, encode_task
from gitbaton.tasks.readiness import Readiness
from gitbaton.tasks.view import View, read_tasks
from tests.unit.tasks.desk import PROJECT, claimed, task, view_of, who


class Counted(Mapping[Key, Record]):
    """Lazy records that count how many were looked at, and can tell what has changed."""

    def __init__(self, records: Mapping[Key, Record], *, traced: bool = True) -> None:
        self.records = records
        self.traced = traced
        self.seen = 0

    def __getitem__(self, key: Key) -> Record:
        self.seen += 1
        return self.records[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def changed_since(self, other: Mapping[Key, Record]) -> Collection[Key] | None:
        if not self.traced or not isinstance(other, Counted):
            return None
        return {
            key
            for key in {*self.records, *other.records}
            if self.records.get(key) is not other.records.get(key)
        }


def record(shown: Task, version: int = 1, *, provisional: bool = False) -> Record:
    return Record(Version(f"{shown.id}-{version}"), encode_task(shown), provisional)


def look(records: Counted, known: View | None = None) -> View:
    live = {k: r for k, r in records.records.items() if k.startswith("tasks/live")}
    return read_tasks(Snapshot(records, live), known)


def test_a_view_of_a_long_backlog_looks_at_what_is_live() -> None:
    backlog = {t.key: record(t) for t in (task(f"t{n}") for n in range(500))}
    live = {t.key: record(t) for t in (task("live-1"), claimed("live-2"))}
    records = Counted({**backlog, **live})
    view = look(records)
    assert set(view.live) == {"live-1", "live-2"}
    assert view.has_parked
    assert records.seen <= 2
    assert view.find("t7").id == "t7"
    assert view.versions[TaskId("t7")] == "t7-1"
    assert view.damage("nope") is None
    assert records.seen <= 6


def test_who_wants_all_again_pays_for_what_has_changed() -> None:
    backlog = {t.key: record(t) for t in (task(f"t{n}") for n in range(500))}
    before = look(Counted(backlog))
    assert len(before.pending) == 500
    changed = task("t9", priority=0)
    records = Counted({**backlog, changed.key: record(changed, 2)})
    after = look(records, before)
    assert [t.id for t in after.pending[:1]] == ["t9"]
    assert len(after.tasks) == 500
    assert records.seen == 1
    assert before.find("t9").priority == 2


def test_a_damaged_record_is_told_of_and_counts_for_nothing() -> None:
    good, bad, parked = task("good"), Key("tasks/bad"), Key("tasks/gone")
    nonsense: Value = {"format": 1, "id": "bad"}
    records = Counted({good.key: record(good), bad: Record(Version("b"), nonsense)})
    view = read_tasks(Snapshot(records, {}, {parked: "no record", Key("refs/x"): "no key"}))
    assert list(view.tasks) == ["good"]
    assert TaskId("bad") not in view.tasks
    assert view.damage("bad") is not None
    assert view.damage("gone") == "no record"
    assert set(view.damaged) == {bad, parked}


def test_a_provisional_value_is_not_remembered_by_the_whole_either() -> None:
    """I6: were the half taken back, its version has the old value again."""
    old, half = task("t"), claimed("t")
    for traced in (True, False):
        first = look(Counted({old.key: record(half, provisional=True)}, traced=traced))
        assert first.pending == []
        second = look(Counted({old.key: record(old)}, traced=traced), first)
        assert second.pending == [old]
        assert second.find("t") == old


tasks = st.dictionaries(
    st.sampled_from([f"t{n}" for n in range(8)]),
    st.tuples(
        st.sampled_from(["pending", "pending", "done", "review", "damaged"]),
        st.integers(0, 2),  # priority
        st.booleans(),  # parked
        st.lists(st.sampled_from([f"t{n}" for n in range(8)]), max_size=2, unique=True),
        st.sampled_from([{}, {"gate": "g"}, {"requires": ["gpu"]}, {"delay": 9.0}]),
    ),
)


def made(shown: dict[str, tuple[str, int, bool, list[str], dict[str, object]]]) -> list[Record]:
    records = []
    for id, (status, priority, _, needs, fields) in shown.items():
        name = "done" if status == "damaged" else status
        others = tuple(need for need in needs if need != id)
        made = task(id, status=name, priority=priority, needs=others, **fields)
        content = {"format": 1} if status == "damaged" else encode_task(made)
        records.append(Record(Version(repr((id, shown[id]))), content))
    return records


@given(st.lists(tasks, min_size=1, max_size=4), st.booleans())
def test_a_lazy_view_says_what_an_eager_one_says(
    looks: Sequence[dict[str, tuple[str, int, bool, list[str], dict[str, object]]]], traced: bool
) -> None:
    known: View | None = None
    keeper = GateKeeper(project=PROJECT)
    cache: dict[Version, Record] = {}
    for shown in looks:
        fresh = [cache.setdefault(r.version, r) for r in made(shown)]
        records = {Key(f"tasks/{id}"): r for id, r in zip(shown, fresh, strict=True)}
        live = {k: r for k, r in records.items() if not shown[k.removeprefix("tasks/")][2]}
        lazy = read_tasks(Snapshot(Counted(records, traced=traced), live), known)
        eager = read_tasks(Snapshot(records, records))
        assert dict(lazy.tasks) == dict(eager.live)
        assert lazy.damaged == eager.damaged
        assert lazy.pending == sorted(
            (t for t in eager.live.values() if t.status is Status.PENDING), key=RANK
        )
        for claimant in (None, who("bob", "gpu")):
            mine, theirs = Readiness(lazy, keeper, claimant), Readiness(eager, keeper, claimant)
            assert mine.ready() == theirs.ready() == theirs.ready(eager.live.values())
            assert [t for t in mine.ready() if t.id in lazy.live] == mine.ready(lazy.live.values())
            for one in eager.live.values():
                assert mine.obstacles(one) == theirs.obstacles(one)
                assert (one in mine.ready()) == (not mine.obstacles(one))
        known = lazy


def test_a_parked_task_in_progress_still_reserves_nothing_unentered() -> None:
    """What is parked is pending or finished; only live tasks are looked at for what they hold."""
    view = view_of(task("t", paths=("src/**",)), parked=[task("p", paths=("src/**",))])
    assert [t.id for t in Readiness(view, GateKeeper(project=PROJECT)).ready()] == ["p", "t"]


def test_many_changes_at_once_are_put_in_order_too() -> None:
    many = [task(f"t{n:04}", priority=n % 3) for n in range(2500)]
    before = look(Counted({t.key: record(t) for t in many}))
    assert len(before.pending) == 2500
    turned = [task(t.id, priority=2 - t.priority) for t in many]
    after = look(Counted({t.key: record(t, 2) for t in turned}), before)
    assert list(after.pending) == sorted(turned, key=RANK)


def test_memory_is_shared_and_belongs_to_no_snapshot() -> None:
    memory = Memory()
    one = Decoded(Snapshot({task().key: record(task())}, {}), memory)
    two = Decoded(Snapshot({task().key: record(claimed(), 2)}, {}), memory)
    id = TaskId("t")
    assert (one[id], two[id], one[id]) == (task(), claimed(), task())
    assert (len(one), len(two)) == (1, 1)
    assert (one[id], two[id]) == (task(), claimed())
