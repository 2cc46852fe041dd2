"""Transactions that share a push: each has the outcome that it would have had alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import pytest

from gitbaton.core.ids import Oid
from gitbaton.git.remote import (
    Choose,
    Listing,
    PushState,
    RefResult,
    RefUpdate,
    Remote,
)
from gitbaton.store.gitengine import GitStore
from gitbaton.store.model import (
    ABSENT,
    Branch,
    Committed,
    Conflict,
    Key,
    Move,
    Rejected,
    Spared,
    Transaction,
    Version,
    make_key,
)

from .place import Forwarding, Place, change, create, put, won

NAMES = ("t1", "t2", "t3")


class Counting(Forwarding):
    """A remote that counts; ``before`` happens between planning a grouped push and sending it."""

    def __init__(self, remote: Remote, *, shows: Place | None = None) -> None:
        super().__init__(remote)
        self.looks = 0
        self.pushes: list[tuple[int, bool]] = []  # refs, atomic
        self.before: Callable[[], object] | None = None
        self.lose: Callable[[Sequence[RefUpdate]], bool] = lambda updates: False
        self._shows = shows

    def list(self, prefixes: Sequence[str]) -> Listing:
        self.looks += 1
        return self.inner.list(prefixes)

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
        if self.before is not None and len(updates) > 1:
            act, self.before = self.before, None
            act()
        self.pushes.append((len(updates), atomic))
        results = self.inner.push(updates, atomic=atomic)
        if self.lose(updates):
            self.lose = lambda updates: False
            return {u.ref: RefResult(PushState.UNKNOWN, "hung up") for u in updates}
        return results

    def push_chosen(self, choose: Choose) -> Mapping[str, RefResult]:
        shown = None
        if self._shows is not None:
            shown = {ref: Oid(oid) for ref, oid in self._shows.refs().items()}
        updates = choose(shown)
        return self.push(updates, atomic=False) if updates else {}


class Fleet:
    """A store with tasks in progress, results to land, and what its remote was asked."""

    def __init__(self, place: Place, *, shows: bool = False) -> None:
        self.place = place
        self.other = place.store(1)
        self.versions = {name: create(self.other, name) for name in NAMES}
        self.results = {name: place.commit_file(0, f"{name}.txt", name) for name in NAMES}
        self.remote: Counting

        def count(remote: Remote) -> Remote:
            self.remote = Counting(remote, shows=place if shows else None)
            return self.remote

        self.store: GitStore = place.store(wrap=count)
        self.store.read()
        self.remote.looks = 0

    def landings(self) -> list[Transaction]:
        return [
            change(
                {key(name): self.versions[name]},
                {key(name): {"status": "done"}},
                Move(Branch(f"task/{name}"), None, self.results[name]),
            )
            for name in NAMES
        ]

    def claims(self) -> list[Transaction]:
        return [
            change({key(name): self.versions[name]}, {key(name): {"by": "us"}}) for name in NAMES
        ]

    def take(self, name: str) -> Version:
        """Somebody else changes the task."""
        self.other.read()
        return put(self.other, key(name), {"by": "them"}, self.versions[name])

    def landed(self) -> set[str]:
        """Return what is landed; fail if anything is landed by half (I2)."""
        records = self.place.store(2).read().records
        done = {name for name in NAMES if records[key(name)].value.get("status") == "done"}
        tips = self.place.refs("refs/heads/task/")
        branches = {name for name in NAMES if f"refs/heads/task/{name}" in tips}
        assert done == branches
        assert all(tips[f"refs/heads/task/{name}"] == self.results[name] for name in branches)
        return done


def key(name: str) -> Key:
    return make_key("tasks", name)


def test_landings_share_one_atomic_push(place: Place) -> None:
    fleet = Fleet(place)
    outcomes = fleet.store.commit(fleet.landings())
    assert all(isinstance(outcome, Committed) for outcome in outcomes)
    assert fleet.remote.pushes == [(6, True)]
    assert fleet.remote.looks == 1
    assert fleet.landed() == set(NAMES)


def test_a_stale_member_is_taken_out_and_the_others_land(place: Place) -> None:
    """I1, I2: the task that was taken away between look and push does not land."""
    fleet = Fleet(place)
    fleet.remote.before = lambda: fleet.take("t2")
    first, second, third = fleet.store.commit(fleet.landings())
    assert isinstance(first, Committed)
    assert isinstance(third, Committed)
    assert isinstance(second, Conflict)
    found = second.found[key("t2")]
    assert found is not ABSENT
    assert found.value == {"by": "them"}
    assert fleet.remote.pushes == [(6, True), (4, True)]
    assert fleet.landed() == {"t1", "t3"}


@pytest.mark.parametrize(
    ("hook", "script"),
    [
        ("update", 'test "$1" != refs/heads/task/t2'),
        ("pre-receive", "! grep -q refs/heads/task/t2"),
    ],
)
def test_one_that_the_host_refuses_holds_up_nobody(place: Place, hook: str, script: str) -> None:
    """I2: refused by name or with the whole push; the innocent land, and only they."""
    fleet = Fleet(place)
    place.hook(hook, script)
    first, second, third = fleet.store.commit(fleet.landings())
    assert isinstance(first, Committed)
    assert isinstance(third, Committed)
    assert isinstance(second, Rejected)
    assert fleet.landed() == {"t1", "t3"}


def test_two_that_move_one_branch_do_not_travel_together(place: Place) -> None:
    fleet = Fleet(place)
    landings = [
        change(
            {key(name): fleet.versions[name]},
            {key(name): {"status": "done"}},
            Move(Branch("release"), None, fleet.results[name]),
        )
        for name in NAMES[:2]
    ]
    first, second = fleet.store.commit(landings)
    assert isinstance(first, Committed)
    assert isinstance(second, Conflict)
    assert second.moved == {Branch("release"): fleet.results["t1"]}
    assert place.refs("refs/heads/release") == {"refs/heads/release": fleet.results["t1"]}


def test_an_answer_lost_by_all_is_found_with_one_look(place: Place) -> None:
    """I4: done is done, for landings and for single records alike."""
    fleet = Fleet(place)
    fleet.remote.lose = lambda updates: len(updates) > 1
    assert all(isinstance(o, Committed) for o in fleet.store.commit(fleet.claims()))
    assert (fleet.remote.looks, fleet.remote.pushes) == (1, [(3, False)])
    fleet.versions = {n: r.version for n in NAMES for r in [fleet.store.read().records[key(n)]]}
    fleet.remote.looks, fleet.remote.pushes = 0, []
    fleet.remote.lose = lambda updates: len(updates) > 1
    assert all(isinstance(o, Committed) for o in fleet.store.commit(fleet.landings()))
    assert (fleet.remote.looks, fleet.remote.pushes) == (2, [(6, True)])
    assert fleet.landed() == set(NAMES)


REFS = [f"refs/{kind}/{name}" for kind, name in product(("baton/tasks", "heads/task"), NAMES)]


@pytest.mark.parametrize("lost", [{REFS[0], REFS[1]}, {REFS[3]}, {REFS[0], REFS[4], REFS[5]}])
@pytest.mark.parametrize("taken", [False, True])
def test_a_server_killed_in_a_grouped_push(place: Place, lost: set[str], *, taken: bool) -> None:
    """I2, I6: of each landing all is there or nothing, and its owner is told which.

    ``taken``: meanwhile somebody else takes the task whose record was not written, if there is one.
    """
    fleet = Fleet(place)

    class Dying(Counting):
        armed = True

        def push(self, updates: Sequence[RefUpdate], *, atomic: bool) -> Mapping[str, RefResult]:
            results = super().push(updates, atomic=atomic)
            if not self.armed or not atomic:
                return results
            self.armed = False
            for update in updates:
                if update.ref in lost and update.old is None:
                    place.git("update-ref", "-d", update.ref)
                elif update.ref in lost:
                    assert update.old is not None
                    place.git("update-ref", update.ref, update.old)
            if taken and REFS[0] in lost:
                fleet.take("t1")
            return {u.ref: RefResult(PushState.UNKNOWN, "hung up") for u in updates}

    store = place.store(3, wrap=Dying)
    outcomes = store.commit(
        [
            change(
                {key(name): fleet.versions[name]},
                {key(name): {"status": "done"}},
                Move(Branch(f"task/{name}"), None, place.commit_file(3, f"{name}.txt", name)),
            )
            for name in NAMES
        ]
    )
    fleet.results = {n: Oid(place.refs().get(f"refs/heads/task/{n}", "")) for n in NAMES}
    told = {n for n, o in zip(NAMES, outcomes, strict=True) if isinstance(o, Committed)}
    records = place.store(2).read().records
    done = {n for n in NAMES if records[key(n)].value.get("status") == "done"}
    assert told == done
    if taken and REFS[0] in lost:
        # Its branch was created by a push in which its claim was current: it stays (protocol, 5).
        assert told == {"t2", "t3"}
    else:
        assert told == set(NAMES)
        assert fleet.landed() == set(NAMES)


def test_without_atomic_push_a_lost_answer_is_still_recognised(place: Place) -> None:
    """I4: nothing of a push is forgotten because the host lacks another kind of push."""
    place.git("config", "receive.advertiseAtomic", "false")
    fleet = Fleet(place)
    refused = fleet.store.commit(fleet.landings())
    assert [o.code for o in refused if isinstance(o, Rejected)] == ["no_atomic"] * 3
    fleet.remote.lose = lambda updates: True
    assert all(isinstance(o, Committed) for o in fleet.store.commit(fleet.claims()))


def test_alternatives_are_chosen_by_what_the_session_shows(place: Place) -> None:
    """I1: one push, exactly as many as wanted, and what has moved on is not tried."""
    fleet = Fleet(place, shows=True)
    fleet.take("t1")
    passed, second, third = fleet.store.commit_first(fleet.claims(), 1)
    assert isinstance(second, Committed)
    assert (passed, third) == (Spared("moved"), Spared())
    assert (fleet.remote.pushes, fleet.remote.looks) == ([(1, False)], 0)


def test_alternatives_that_have_all_moved_on_cost_no_push_and_no_look(place: Place) -> None:
    fleet = Fleet(place, shows=True)
    for name in NAMES:
        fleet.take(name)
    outcomes = fleet.store.commit_first(fleet.claims(), 2)
    assert outcomes == [Spared("moved")] * 3
    assert (fleet.remote.pushes, fleet.remote.looks) == ([], 0)


def test_alternatives_chosen_without_a_session_never_exceed_the_count(place: Place) -> None:
    """I1: a lost answer is looked up; what it took counts."""
    fleet = Fleet(place)
    fleet.take("t1")
    fleet.remote.lose = lambda updates: True
    first, second, third = fleet.store.commit_first(fleet.claims(), 2)
    assert isinstance(first, Conflict)
    assert isinstance(second, Committed)
    assert third == Spared()
    assert (fleet.remote.pushes, fleet.remote.looks) == ([(2, False)], 1)
    held = place.store(2).read().records
    assert [held[key(n)].value.get("by") for n in NAMES] == ["them", "us", None]


def test_alternatives_that_are_not_hot_are_tried_in_turn(place: Place) -> None:
    fleet = Fleet(place)
    new = change({key("t0"): ABSENT}, {key("t0"): {"by": "us"}})
    made, first, second, third = fleet.store.commit_first([new, *fleet.claims()], 2)
    assert won([made] if isinstance(made, Committed) else [])
    assert isinstance(first, Committed)
    assert (second, third) == (Spared(), Spared())
