"""Transactions that a server left half done, met by others before they could be completed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pytest

from gitbaton.core.errors import Refused
from gitbaton.git.remote import Listing, PushState, RefResult, RefUpdate, Remote
from gitbaton.store.model import ABSENT, Branch, Conflict, Key, Move, make_key

from .place import Forwarding, Place, change, create, put, won

TASK = make_key("tasks", "task-001")
LOCK = make_key("locks", "paths")
TASK_REF = "refs/baton/tasks/task-001"
LOCK_REF = "refs/baton/locks/paths"


class HalfDone(Forwarding):
    """A server that dies within the first push of many refs: ``lost`` stays as it was."""

    def __init__(self, remote: Remote, place: Place, lost: str) -> None:
        super().__init__(remote)
        self._place, self._lost, self._armed = place, lost, True

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        if not self._armed or self._lost not in {update.ref for update in updates}:
            return self.inner.push(updates, atomic=atomic)
        self._armed = False
        self.inner.push(updates, atomic=atomic)
        old = next(update.old for update in updates if update.ref == self._lost)
        if old is None:
            self._place.git("update-ref", "-d", self._lost)
        else:
            self._place.git("update-ref", self._lost, old)
        self.after()
        return {u.ref: RefResult(PushState.UNKNOWN, "hung up") for u in updates}

    def after(self) -> None:
        """What others do before we look."""


@pytest.mark.parametrize("lost", [TASK_REF, LOCK_REF])
def test_half_of_our_own_is_completed_before_we_say_committed(place: Place, lost: str) -> None:
    """I1: the version we are told is the one that must be replaced, by us and by all others."""
    store = place.store(wrap=lambda remote: HalfDone(remote, place, lost))
    other = place.store(1)
    task, lock = create(other, "task-001"), put(other, LOCK, {"n": 0}, ABSENT)
    other.read()
    step = change({TASK: task, LOCK: lock}, {TASK: {"who": "us"}, LOCK: {"n": 1}})
    versions = won(store.commit([step]))
    refs = place.refs()
    assert (refs[TASK_REF], refs[LOCK_REF]) == (versions[TASK], versions[LOCK])
    [late] = other.commit([change({TASK: task}, {TASK: {"who": "them"}})])
    assert isinstance(late, Conflict)


def test_half_of_ours_that_somebody_overwrote_is_taken_back(place: Place) -> None:
    """I1: either both of our records are there, or neither, and we are told."""
    other = place.store(1)
    task, lock = create(other, "task-001"), put(other, LOCK, {"n": 0}, ABSENT)
    other.read()

    class Overtaken(HalfDone):
        def after(self) -> None:
            won(other.commit([change({TASK: task}, {TASK: {"who": "them"}})]))

    store = place.store(wrap=lambda remote: Overtaken(remote, place, TASK_REF))
    step = change({TASK: task, LOCK: lock}, {TASK: {"who": "us"}, LOCK: {"n": 1}})
    [outcome] = store.commit([step])
    assert isinstance(outcome, Conflict), outcome
    seen = place.store(2).read().records
    assert seen[TASK].value == {"who": "them"}
    assert seen[LOCK].value == {"n": 0}


def test_a_record_whose_branch_went_elsewhere_is_taken_back(place: Place) -> None:
    """I2: `done` never stands beside a branch that does not have the commit."""
    seed = place.commit_file(0, "seed.txt", "seed")
    won(place.store().commit([change({}, {}, Move(Branch("main"), None, seed))]))
    mine = place.commit_file(0, "mine.txt", "mine")

    class Overtaken(HalfDone):
        def after(self) -> None:
            tree = place.git("rev-parse", f"{seed}^{{tree}}")
            who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
            theirs = place.git(*who, "commit-tree", tree, "-p", seed, "-m", "theirs")
            place.git("update-ref", "refs/heads/main", theirs, seed)

    version = create(place.store(1), "task-001", {"status": "in-progress"})
    store = place.store(wrap=lambda remote: Overtaken(remote, place, "refs/heads/main"))
    landing = Move(Branch("main"), seed, mine)
    [outcome] = store.commit([change({TASK: version}, {TASK: {"status": "done"}}, landing)])
    assert isinstance(outcome, Conflict), outcome
    assert set(outcome.moved) == {Branch("main")}
    record = place.store(2).read().records[TASK]
    assert record.value == {"status": "in-progress"}
    tip = outcome.moved[Branch("main")]
    again = Move(Branch("main"), tip, mine)
    won(store.commit([change({TASK: record.version}, {TASK: {"status": "done"}}, again)]))


def test_the_first_version_of_a_lock_is_completed_from_its_claim(place: Place) -> None:
    """I6: a record that never had a ref, known only to the other half."""
    store = place.store()
    task = create(store, "task-001")
    won(store.commit([change({TASK: task, LOCK: ABSENT}, {TASK: {"n": 1}, LOCK: {"n": 1}})]))
    place.git("update-ref", "-d", LOCK_REF)
    reader = place.store(1)
    record = reader.read().records[LOCK]
    assert (record.value, record.provisional) == ({"n": 1}, True)
    put(reader, LOCK, {"n": 2}, record.version)
    assert place.store(2).read().records[LOCK].value == {"n": 2}


def test_upkeep_writes_the_first_version_of_a_lock(place: Place) -> None:
    store = place.store()
    task = create(store, "task-001")
    won(store.commit([change({TASK: task, LOCK: ABSENT}, {TASK: {"n": 1}, LOCK: {"n": 1}})]))
    place.git("update-ref", "-d", LOCK_REF)
    assert place.store(1).tidy(force=True).repaired == 1
    assert LOCK_REF in place.refs()
    assert not place.store(2).read().records[LOCK].provisional


def test_a_torn_remote_can_be_read_beside_a_busy_fleet(place: Place) -> None:
    """I4: what stays torn is recognised by itself, whatever else moves between two looks."""
    store, pump = place.store(), place.store(2)
    task, lock = create(store, "task-001"), put(store, LOCK, {"n": 0}, ABSENT)
    busy = make_key("tasks", "busy")
    version = [create(store, "busy")]
    won(store.commit([change({TASK: task, LOCK: lock}, {TASK: {"n": 1}, LOCK: {"n": 1}})]))
    place.git("update-ref", "-d", TASK_REF)

    class Busy(Forwarding):
        def list(self, prefixes: Sequence[str]) -> Listing:
            version[0] = put(pump, busy, {"n": len(version)}, version[0])
            return self.inner.list(prefixes)

    seen = place.store(1, wrap=Busy).read()
    assert {TASK, LOCK, busy} == set(seen.records)


def test_a_ref_made_too_late_does_not_replace_a_newer_card(place: Place) -> None:
    """I1: a push that was on its way for minutes, to a host without atomic pushes."""
    store = place.store()
    first = create(store, "task-001", {"finished": True, "epoch": 1})
    store.tidy(force=True)
    late = put(store, TASK, {"epoch": 1}, first)
    put(store, TASK, {"finished": True, "epoch": 2}, late)
    store.tidy(force=True)
    place.git("update-ref", TASK_REF, late)
    reader = place.store(1)
    record = reader.read().records[TASK]
    assert record.value == {"finished": True, "epoch": 2}
    put(reader, TASK, {"epoch": 3}, record.version)
    assert place.store(2).read().records[TASK].value == {"epoch": 3}


def test_upkeep_removes_a_ref_made_too_late(place: Place) -> None:
    store = place.store()
    first = create(store, "task-001", {"finished": True})
    store.tidy(force=True)
    late = put(store, TASK, {"epoch": 1}, first)
    put(store, TASK, {"finished": True, "epoch": 2}, late)
    store.tidy(force=True)
    place.git("update-ref", TASK_REF, late)
    place.store(1).tidy(force=True)
    assert TASK_REF not in place.refs()
    assert place.store(2).read().records[TASK].value == {"finished": True, "epoch": 2}


def test_a_rewound_board_is_refused_by_whoever_has_seen_more(place: Place) -> None:
    """I1: a remote restored from an old copy must not bring finished tasks back as pending."""
    store = place.store()
    create(store, "task-001", {"finished": True})
    old = place.git("rev-parse", "baton")
    store.tidy(force=True)
    tip = place.git("rev-parse", "baton")
    place.git("update-ref", "refs/heads/baton", old)
    for same_clone in (store, place.store()):
        with pytest.raises(Refused, match="rewound") as caught:
            same_clone.read()
        assert caught.value.code == "board_rewound"
    place.git("update-ref", "refs/heads/baton", tip)
    assert store.read().records[TASK].value == {"finished": True}


def test_a_deleted_board_is_refused_by_whoever_has_seen_it(place: Place) -> None:
    """I1: nothing is as old a copy as any."""
    store = place.store()
    create(store, "task-001", {"finished": True})
    store.tidy(force=True)
    tip = place.git("rev-parse", "baton")
    place.git("update-ref", "-d", "refs/heads/baton")
    for same_clone in (store, place.store()):
        with pytest.raises(Refused, match="deleted") as caught:
            same_clone.read()
        assert caught.value.code == "board_rewound"
        with pytest.raises(Refused, match="deleted"):
            create(same_clone, "task-001", {"finished": False})
    place.git("update-ref", "refs/heads/baton", tip)
    assert place.store().read().records[TASK].value == {"finished": True}


def test_a_strange_entry_on_the_board_hurts_nobody(place: Place) -> None:
    """I8: a gitlink, whose object is in no repository of ours."""
    create(place.store(), "task-001")
    tip = place.git("rev-parse", "baton")
    lines = place.git("ls-tree", tip).splitlines()
    live = place.git("ls-tree", f"{tip}:live")
    live += f"\n160000 commit {'1' * 40}\tevil.json\n"
    subtree = place.git("mktree", "--missing", stdin=live)
    top = [line for line in lines if not line.endswith("\tlive")]
    top.append(f"040000 tree {subtree}\tlive")
    tree = place.git("mktree", "--missing", stdin="\n".join(top) + "\n")
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    place.git("update-ref", "refs/heads/baton", place.git(*who, "commit-tree", tree, "-p", tip))
    assert list(place.store(1).read().records) == [TASK]


@pytest.mark.parametrize("depth", [90, 130, 930, 100_000])
def test_a_deep_value_is_refused_or_read_but_never_a_crash(place: Place, depth: int) -> None:
    """I8"""
    version = create(place.store(), "task-001")
    body = json.loads(place.git("show", f"{version}:record.json"))
    body["key"], body["value"] = "tasks/deep", "@"
    text = json.dumps(body).replace('"@"', '{"n": ' + "[" * depth + "]" * depth + "}")
    blob = place.git("hash-object", "-w", "--stdin", stdin=text)
    tree = place.git("mktree", stdin=f"100644 blob {blob}\trecord.json\n")
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    commit = place.git(*who, "commit-tree", tree, "-m", "deep")
    place.git("update-ref", "refs/baton/tasks/deep", commit)
    seen = place.store(1).read()
    deep = Key("tasks/deep")
    assert (deep in seen.records) == (depth < 100)
    assert (deep in seen.damaged) == (depth >= 100)
    assert seen.records[TASK].version == version


def test_one_half_of_a_pair_is_not_folded_before_it_has_moved_on(place: Place) -> None:
    """I6: on the board nobody would see that a listing shows the other half as it was before."""
    store = place.store()
    task, lock = create(store, "task-001"), put(store, LOCK, {"n": 0}, ABSENT)
    both = change({TASK: task, LOCK: lock}, {TASK: {"finished": True}, LOCK: {"n": 1}})
    version = won(store.commit([both]))[TASK]
    assert store.tidy(force=True).folded == 0
    put(store, TASK, {"finished": True, "n": 1}, version)
    assert store.tidy(force=True).folded == 1
