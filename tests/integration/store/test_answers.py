"""Lost answers, refusals and hosts that can do less: never a wrong word about who won."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from gitbaton.core.ids import Oid
from gitbaton.git.remote import PushState, RefResult, RefUpdate, Remote
from gitbaton.store.gitengine import Layout
from gitbaton.store.model import (
    ABSENT,
    Branch,
    Committed,
    Conflict,
    Move,
    Rejected,
    Rescue,
    Unknown,
    make_key,
)

from .place import Forwarding, Place, change, create, make_place, put, won

TASK = make_key("tasks", "task-001")
LOCK = make_key("locks", "paths")
TASK_REF = "refs/baton/tasks/task-001"


class Forgetful(Forwarding):
    """A remote whose answers to pushes are lost, by chance before or after it obeyed."""

    def __init__(self, remote: Remote, rng: random.Random, *, times: int) -> None:
        super().__init__(remote)
        self._rng = rng
        self._left = times

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        if self._left and self._rng.random() < 0.7:
            self._left -= 1
            if self._rng.random() < 0.5:
                self.inner.push(updates, atomic=atomic)
            return {u.ref: RefResult(PushState.UNKNOWN, "connection lost") for u in updates}
        return self.inner.push(updates, atomic=atomic)


@pytest.mark.parametrize("seed", range(12))
def test_a_lost_answer_is_looked_up(place: Place, seed: int) -> None:
    """I4: whether the server obeyed or not, the outcome is the truth and nothing is done twice."""
    rng = random.Random(seed)
    store = place.store(wrap=lambda remote: Forgetful(remote, rng, times=6))
    other = place.store(1)
    version = create(store, "task-001", {"n": 0})
    lock = put(store, LOCK, {"n": 0}, ABSENT)
    for n in range(1, 5):
        heartbeat = n % 2 == 0
        step = change({TASK: version}, {TASK: {"n": n}}, heartbeat=heartbeat)
        version = won(store.commit([step]))[TASK]
    versions = won(store.commit([change({TASK: version, LOCK: lock}, {TASK: {}, LOCK: {}})]))
    seen = other.read().records
    assert seen[TASK].version == versions[TASK]
    assert [c.value for c in other.history(TASK) if c.value][:1] in ([{"n": 4}], [{"n": 3}])
    [outcome] = store.commit([change({TASK: version}, {TASK: {"n": 9}})])
    assert isinstance(outcome, Conflict)


class Overtaken(Forwarding):
    """A remote that obeys; before its answer, which is lost, somebody else acts (``then``)."""

    def __init__(self, remote: Remote) -> None:
        super().__init__(remote)
        self.then: Callable[[], object] | None = None

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        results = self.inner.push(updates, atomic=atomic)
        act, self.then = self.then, None
        if act is None:
            return results
        act()
        return {u.ref: RefResult(PushState.UNKNOWN, "connection lost") for u in updates}


def test_a_lost_answer_gives_our_own_version_though_others_were_next(place: Place) -> None:
    """I1: who is given the version of another would write over it without having seen it."""
    other = place.store(1)
    version = create(other, "task-001")
    remotes: list[Overtaken] = []

    def wrap(remote: Remote) -> Remote:
        remotes.append(Overtaken(remote))
        return remotes[-1]

    store = place.store(wrap=wrap)
    store.read()

    def replace() -> None:
        put(other, TASK, {"by": "them"}, other.read().records[TASK].version)

    remotes[0].then = replace
    ours = won(store.commit([change({TASK: version}, {TASK: {"by": "us"}})]))[TASK]
    (again,) = store.commit([change({TASK: ours}, {TASK: {"by": "us again"}})])
    assert isinstance(again, Conflict)
    assert other.read().records[TASK].value == {"by": "them"}


class Late(Forwarding):
    """A gateway that loses the answer to a push, which is carried out later (``arrive``)."""

    def __init__(self, remote: Remote) -> None:
        super().__init__(remote)
        self.answers: list[PushState] = []  # to the next pushes; then all is well
        self.sent: list[Sequence[RefUpdate]] = []

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        if not self.answers:
            return self.inner.push(updates, atomic=atomic)
        answer = self.answers.pop(0)
        if answer is PushState.UNKNOWN:
            self.sent.append(updates)
        return {u.ref: RefResult(answer, "504") for u in updates}

    def arrive(self) -> None:
        for updates in self.sent:
            self.inner.push(updates, atomic=True)


@pytest.mark.parametrize("then", [PushState.REFUSED, PushState.STALE])
def test_what_may_still_be_carried_out_is_never_said_not_to_be_done(
    place: Place, then: PushState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I1: whoever is told "others were faster" would not know that he holds the task."""
    monkeypatch.setattr("gitbaton.store.gitengine.patience._LOCKED", 0.0)
    monkeypatch.setattr("gitbaton.store.gitengine.patience._LOCKED_TURNS", 2)
    gateways: list[Late] = []

    def wrap(remote: Remote) -> Remote:
        gateways.append(Late(remote))
        return gateways[-1]

    store = place.store(wrap=wrap)
    version = create(store, "task-001")
    [gateway] = gateways
    gateway.answers = [PushState.UNKNOWN, *[then] * 9]
    [outcome] = store.commit([change({TASK: version}, {TASK: {"mine": True}})])
    assert isinstance(outcome, Unknown)
    assert store.read().records[TASK].version == version
    gateway.arrive()
    assert store.read().records[TASK].value == {"mine": True}


def test_what_the_server_has_answered_does_not_come_later(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over http a lost race is unknown as well (git/answers.py); a lock must not make it so."""
    monkeypatch.setattr("gitbaton.store.gitengine.patience._LOCKED", 0.0)
    monkeypatch.setattr("gitbaton.store.gitengine.patience._LOCKED_TURNS", 2)

    class Locked(Forwarding):
        locked = False

        def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
            if not self.locked:
                return self.inner.push(updates, atomic=atomic)
            return {u.ref: RefResult(PushState.UNKNOWN, "locked", answered=True) for u in updates}

    remotes: list[Locked] = []

    def wrap(remote: Remote) -> Remote:
        remotes.append(Locked(remote))
        return remotes[-1]

    store = place.store(wrap=wrap)
    version = create(store, "task-001")
    remotes[0].locked = True
    [outcome] = store.commit([change({TASK: version}, {TASK: {"mine": True}})])
    assert isinstance(outcome, Rejected)
    assert outcome.code == "contention"


def test_a_landing_whose_answer_was_lost_is_committed(place: Place) -> None:
    """I2: the branch and the record moved together, and the landing knows it."""
    commit = place.commit_file(0, "a.txt", "a")
    rng = random.Random(1)
    store = place.store(wrap=lambda remote: Forgetful(remote, rng, times=9))
    version = create(store, "task-001")
    move = Move(Branch("task/task-001"), None, commit)
    won(store.commit([change({TASK: version}, {TASK: {"done": True}}, move)]))
    assert place.refs()["refs/heads/task/task-001"] == commit


def test_a_landing_with_a_stale_claim_moves_nothing(place: Place) -> None:
    """I2: fenced by the server. The zombie's branch does not move, not even when it is free."""
    commit = place.commit_file(0, "a.txt", "a")
    store, reaper = place.store(), place.store(1)
    version = create(store, "task-001")
    put(reaper, TASK, {"reaped": True}, version)
    move = Move(Branch("task/task-001"), None, commit)
    [outcome] = store.commit([change({TASK: version}, {TASK: {"done": True}}, move)])
    assert isinstance(outcome, Conflict)
    assert outcome.found[TASK] == reaper.read().records[TASK]
    assert "refs/heads/task/task-001" not in place.refs()


def test_a_branch_that_moved_is_named_in_the_conflict(place: Place) -> None:
    first, second = (place.commit_file(0, f"{n}.txt", n) for n in ("a", "b"))
    store = place.store()
    version = create(store, "task-001")
    target = Branch("landing")
    won(store.commit([change({TASK: version}, {TASK: {"n": 1}}, Move(target, None, first))]))
    current = store.read().records[TASK].version
    [outcome] = store.commit(
        [change({TASK: current}, {TASK: {"n": 2}}, Move(target, None, second))]
    )
    assert outcome == Conflict({}, {target: first})
    assert store.read().records[TASK].version == current


def test_a_landing_that_got_half_way_is_finished_by_trying_again(place: Place) -> None:
    """I4: the server died with the branch moved and the record not."""
    commit = place.commit_file(0, "a.txt", "a")
    store = place.store()
    version = create(store, "task-001")
    move = Move(Branch("task/task-001"), None, commit)
    won(store.commit([change({}, {}, move)]))
    won(store.commit([change({TASK: version}, {TASK: {"done": True}}, move)]))
    assert store.read().records[TASK].value == {"done": True}


class LosesTheBranch(Forwarding):
    """A server that dies in the transaction with the record written and the branch not."""

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        if atomic and any(u.ref.startswith("refs/heads/task/") for u in updates):
            kept = [u for u in updates if u.ref.startswith("refs/baton/")]
            # The objects of a push are all there before its first ref moves.
            branch = next(u for u in updates if u not in kept)
            spare = RefUpdate("refs/baton/rescue/spare/1-0", None, branch.new)
            self.inner.push([spare], atomic=False)
            self.inner.push(kept, atomic=False)
            return {u.ref: RefResult(PushState.UNKNOWN, "hung up") for u in updates}
        return self.inner.push(updates, atomic=atomic)


def test_a_record_without_its_branch_is_rolled_forward(place: Place) -> None:
    """I2, I4: the same, the other way round."""
    commit = place.commit_file(0, "a.txt", "a")
    store = place.store(wrap=LosesTheBranch)
    version = create(store, "task-001")
    move = Move(Branch("task/task-001"), None, commit)
    won(store.commit([change({TASK: version}, {TASK: {"done": True}}, move)]))
    assert place.refs()["refs/heads/task/task-001"] == commit


def test_a_hidden_branch_takes_the_record_back(place: Place) -> None:
    """I2: receive-pack applies the record although the branch is refused; it is undone."""
    place.git("config", "receive.hideRefs", "refs/heads/secret")
    commit = place.commit_file(0, "a.txt", "a")
    store = place.store()
    version = create(store, "task-001", {"status": "in-progress"})
    move = Move(Branch("secret/x"), None, commit)
    [outcome] = store.commit([change({TASK: version}, {TASK: {"status": "done"}}, move)])
    assert isinstance(outcome, Rejected), outcome
    assert place.store(1).read().records[TASK].value == {"status": "in-progress"}
    assert "refs/heads/secret/x" not in place.refs()


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_a_hook_that_refuses_is_the_hosts_last_word(place: Place, hook: str) -> None:
    commit = place.commit_file(0, "a.txt", "a")
    store = place.store()
    version = create(store, "task-001")
    refuse = {
        "pre-receive": "while read o n r; do [ $r = refs/heads/main ] && exit 1; done; exit 0",
        "update": "case $1 in refs/heads/main) echo no; exit 1;; esac",
    }
    place.hook(hook, refuse[hook])
    move = Move(Branch("main"), None, commit)
    [outcome] = store.commit([change({TASK: version}, {TASK: {"done": True}}, move)])
    assert isinstance(outcome, Rejected), outcome
    assert outcome.code == "refused"
    assert "hook declined" in outcome.reason
    assert store.read().records[TASK].version == version
    put(store, TASK, {"n": 1}, version)


class TestWithoutAtomic:
    """A host whose receive-pack does not list `atomic`."""

    @pytest.fixture(autouse=True)
    def no_atomic(self, place: Place) -> None:
        place.git("config", "receive.advertiseAtomic", "false")

    def test_records_are_written_in_steps(self, place: Place) -> None:
        store = place.store()
        version = create(store, "task-001", {"n": 0})
        lock = put(store, LOCK, {"n": 0}, ABSENT)
        both = change({LOCK: lock, TASK: version}, {LOCK: {"n": 1}, TASK: {"n": 1}})
        won(store.commit([both]))
        seen = place.store(1).read().records
        assert seen[TASK].value == seen[LOCK].value == {"n": 1}

    def test_a_result_is_not_published_with_its_record(self, place: Place) -> None:
        """I2: what the host cannot do whole is not done by halves."""
        commit = place.commit_file(0, "a.txt", "a")
        store = place.store()
        version = create(store, "task-001")
        move = Move(Branch("task/task-001"), None, commit)
        [outcome] = store.commit([change({TASK: version}, {TASK: {"done": True}}, move)])
        assert isinstance(outcome, Rejected)
        assert outcome.code == "no_atomic"
        assert store.read().records[TASK].version == version
        assert "refs/heads/task/task-001" not in place.refs()

    def test_only_what_is_finished_is_folded_and_nothing_is_parked(self, place: Place) -> None:
        store = place.store()
        for n in range(30):  # more than the window of the policy
            create(store, f"t-{n:02}", {"n": n, "finished": n < 5})
        assert len(place.refs("refs/baton/tasks/")) == 30
        assert store.tidy(force=True).folded == 5
        assert len(place.refs("refs/baton/tasks/")) == 25
        assert len(place.store(1).read("tasks/").records) == 30

    def test_one_of_many_creators_wins(self, place: Place) -> None:
        stores = [place.store(n) for n in range(3)]
        step = change({TASK: ABSENT}, {TASK: {"n": 1}})
        outcomes = [store.commit([step])[0] for store in stores]
        assert [isinstance(outcome, Committed) for outcome in outcomes] == [True, False, False]


def test_heartbeats_are_chained_where_they_cannot_be_replaced(place: Place) -> None:
    place.git("config", "receive.denyNonFastForwards", "true")
    store = place.store()
    version = create(store, "task-001")
    for n in range(4):
        beat = change({TASK: version}, {TASK: {"n": n}}, heartbeat=True)
        version = won(store.commit([beat]))[TASK]
    assert place.refs()[TASK_REF] == version


def test_replaced_heartbeats_do_not_grow_the_history(place: Place) -> None:
    store = place.store()
    version = create(store, "task-001")
    for n in range(5):
        beat = change({TASK: version}, {TASK: {"n": n}}, heartbeat=True)
        version = won(store.commit([beat]))[TASK]
    version = put(store, TASK, {"done": True}, version)
    assert place.git("rev-list", "--count", version) == "3"  # add, last heartbeat, done


def test_records_below_a_branch_prefix(place: Place) -> None:
    """A sandbox that lets agents push `claude/*` branches only."""
    place.hook("update", "case $1 in refs/heads/claude/*) exit 0;; *) exit 1;; esac")
    layout = Layout("refs/heads/claude/records/", "refs/heads/claude/board")
    store, other = (place.store(n, layout=layout) for n in (0, 1))
    version = create(store, "task-001")
    put(other, TASK, {"finished": True}, version)
    assert store.tidy(force=True).folded == 1
    assert set(place.refs()) == {"refs/heads/claude/board"}
    assert other.read().records[TASK].value == {"finished": True}


def test_sha256(tmp_path: Path) -> None:
    place = make_place(tmp_path, object_format="sha256")
    store = place.store()
    version = create(store, "task-001")
    assert len(version) == 64
    put(store, TASK, {"finished": True}, version)
    store.tidy(force=True)
    assert place.store(1).read().records[TASK].value == {"finished": True}
    place.close()


def test_a_rescue_ref_is_made_once_and_again(place: Place) -> None:
    """I4: the name holds the commit, so trying again is idle."""
    commit = place.commit_file(0, "a.txt", "a")
    store = place.store()
    move = Move(Rescue("task-001", 3, commit), None, commit)
    for _ in range(2):
        won(store.commit([change({}, {}, move)]))
    assert place.refs()[f"refs/baton/rescue/task-001/3-{commit}"] == commit


def test_what_a_hostile_client_wrote_is_quarantined(place: Place) -> None:
    """I8: it is named, and everything else goes on."""
    store = place.store()
    version = create(store, "task-001")
    blob = place.git("hash-object", "-w", "--stdin", stdin="not json")
    tree = place.git("mktree", stdin=f"100644 blob {blob}\trecord.json\n")
    broken = place.git("commit-tree", "-m", "x", tree)
    place.git("update-ref", "refs/baton/tasks/broken", broken)
    place.git("update-ref", "refs/baton/tasks/blob", blob)
    place.git("update-ref", "refs/baton/tasks/copied", version)
    place.git("update-ref", "refs/baton/tasks/UPPER", broken)
    place.git("update-ref", "refs/baton/tasks/a/deep/path", broken)
    seen = place.store(1).read("tasks/")
    assert list(seen.records) == [TASK]
    assert {"tasks/broken", "tasks/blob", "tasks/copied"} <= set(seen.damaged)
    assert len(seen.damaged) == 5
    create(store, "task-002")
    put(store, TASK, {"n": 5}, version)
    [outcome] = store.commit(
        [change({make_key("tasks", "broken"): ABSENT}, {make_key("tasks", "broken"): {}})]
    )
    assert isinstance(outcome, Rejected)
    assert outcome.code == "damaged"
    store.tidy(force=True)
    assert Oid(place.refs()["refs/baton/tasks/broken"]) == broken
