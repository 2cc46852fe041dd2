"""Sync: every entry meets its fate, in order, and none is dropped that may still be sent."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from gitbaton.core.errors import (
    BatonError,
    ClaimLost,
    GateClosed,
    GitFailed,
    HostRefused,
    RemoteUnreachable,
)
from gitbaton.core.ids import Oid
from gitbaton.core.process import Process, find_process
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import Actor, Rescue
from gitbaton.tasks.claims import Token
from gitbaton.tasks.model import Status
from gitbaton.work.job import LandJob
from gitbaton.work.landing import ChecksFailed, Landed, Lander
from gitbaton.work.outbox import Outbox
from gitbaton.work.rescue import Rescued, Rescuer
from gitbaton.work.sync import Sent, Sync, queued_name
from tests.unit.tasks.desk import ANN, OID, Desk, who

AWAY = RemoteUnreachable("the network is down")
OTHER = Oid("b" * 40)
DEAD = Process(pid=1, start="never", origin="test-boot")


class FakeRepository:
    """What is kept, by name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.refs: dict[str, str] = {}

    def kept(self) -> dict[str, str]:
        return dict(self.refs)

    def release(self, name: str) -> None:
        del self.refs[name]


class FakeLander:
    """Lands, or does what a test wants; the jobs it got and whether they were tried before."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.jobs: list[tuple[LandJob, bool]] = []
        self.trouble: Callable[[LandJob], BatonError | None] = lambda job: None

    def land(self, job: LandJob, *, again: bool = False) -> Landed:
        self.jobs.append((job, again))
        error = self.trouble(job)
        if error is not None:
            raise error
        task = self.desk.queue.done(job.proof, branch=job.branch, commit=job.oid)
        return Landed(task, job.oid, job.branch)


class FakeRescuer:
    """Saves in a list."""

    def __init__(self) -> None:
        self.saved: list[Rescue] = []
        self.pushed: list[Rescue] = []
        self.away = False

    def save(self, task: str, epoch: int, commit: Oid, *, actor: Actor) -> Rescued:
        self.saved.append(Rescue(task, epoch, commit))
        return Rescued(self.saved[-1], pushed=not self.away)

    def push(self, rescue: Rescue, *, actor: Actor) -> None:
        if self.away:
            raise AWAY
        self.pushed.append(rescue)


class Bench:
    """A sync with everything around it."""

    def __init__(self, path: Path) -> None:
        self.desk = Desk()
        self.outbox = Outbox(MemoryStore(clock=self.desk.clock), self.desk.clock)
        self.repository = FakeRepository(path)
        self.lander = FakeLander(self.desk)
        self.rescuer = FakeRescuer()
        self.permit: Callable[[LandJob], LandJob] = lambda job: job
        me = find_process(os.getpid(), origin=self.desk.clock.origin)
        assert me is not None
        self.sync = Sync(
            cast("CoordinationRepository", self.repository),
            self.desk.queue,
            cast("Lander", self.lander),
            cast("Rescuer", self.rescuer),
            self.outbox,
            owner=me,
            permit=lambda job: self.permit(job),
        )

    def claim(self, task: str) -> Token:
        self.desk.add(task)
        [claimed] = self.desk.queue.claim(who(), ids=[task])
        return claimed.token

    def queue_landing(self, token: Token, *, owner: Process | None = None) -> None:
        job = LandJob(
            token=str(token),
            agent="bob",
            way="branch",
            branch=f"task/{token.task}",
            target="main",
            base=None,
            commit=OID,
        )
        self.repository.refs[queued_name(token)] = OID
        self.outbox.put("land", token.task, msgspec.to_builtins(job), owner=owner)

    def queue_addition(self, id: str, **fields: Any) -> None:
        draft = {"title": f"do {id}", "id": id, **fields}
        self.outbox.put(
            "add", id, {"drafts": [draft], "actor": ANN.name, "email": "ann@example.org"}
        )

    def run(self) -> list[Sent]:
        return self.sync.run()

    def fates(self) -> list[tuple[str, str]]:
        return [(sent.task, sent.fate) for sent in self.run()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_while_the_remote_is_away_the_rest_waits_unasked(bench: Bench) -> None:
    one, two = bench.claim("t1"), bench.claim("t2")
    bench.queue_landing(one)
    bench.queue_landing(two)
    bench.lander.trouble = lambda job: AWAY
    assert bench.fates() == [("t1", "waiting"), ("t2", "waiting")]
    assert [job.proof for job, _ in bench.lander.jobs] == [one]
    bench.lander.trouble = lambda job: None
    assert bench.fates() == [("t1", "landed"), ("t2", "landed")]
    assert bench.run() == []
    assert bench.repository.refs == {}


def test_an_addition_behind_one_that_waits_waits_too(bench: Bench) -> None:
    bench.queue_addition("t1")
    bench.queue_addition("t2", needs=["t1"])
    token = bench.claim("t3")
    bench.outbox.put("block", "t3", {"token": str(token), "reason": "why?"})

    def refuse(_: object) -> Any:
        raise HostRefused("not today")

    bench.desk.store.instead = refuse
    assert bench.fates() == [("t1", "waiting"), ("t2", "waiting"), ("t3", "done")]
    assert bench.fates() == [("t1", "added"), ("t2", "added")]


def test_a_refused_addition_keeps_its_drafts(bench: Bench) -> None:
    bench.desk.add("t1")
    bench.queue_addition("t1", body="mine")
    [sent] = bench.run()
    assert sent.fate == "refused"
    assert sent.next is not None
    file = Path(sent.next.removeprefix("baton add --from "))
    assert msgspec.json.decode(file.read_bytes())["body"] == "mine"
    assert file.parent.parent == bench.repository.path


def test_an_addition_that_arrived_before_is_added(bench: Bench) -> None:
    bench.desk.add("t1")  # by the same person, with the same words
    bench.queue_addition("t1")
    assert bench.fates() == [("t1", "added")]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ClaimLost("t1", "somebody else has it"), Status.IN_PROGRESS),
        (GateClosed("not approved"), Status.BLOCKED),
        (HostRefused("a hook said no"), Status.BLOCKED),
        (ChecksFailed("red"), Status.PENDING),
    ],
)
def test_what_cannot_land_is_rescued(bench: Bench, error: BatonError, status: Status) -> None:
    """I2, I3: it is not published, and its work is saved before the entry goes."""
    token = bench.claim("t1")
    bench.queue_landing(token)
    bench.lander.trouble = lambda job: error
    [sent] = bench.run()
    assert (sent.fate, sent.token) == ("rescued", token)
    assert bench.rescuer.saved == [Rescue("t1", 1, OID)]
    assert bench.desk.queue.get("t1").status is status
    assert bench.repository.refs == {}
    assert bench.run() == []


def test_the_land_rules_of_today_count(bench: Bench) -> None:
    bench.queue_landing(bench.claim("t1"))

    def forbid(job: LandJob) -> LandJob:
        raise GateClosed("this project merges")

    bench.permit = forbid
    assert bench.fates() == [("t1", "rescued")]
    assert bench.lander.jobs == []


def test_a_failure_of_this_machine_ends_nothing(bench: Bench) -> None:
    token = bench.claim("t1")
    bench.queue_landing(token)
    bench.lander.trouble = lambda job: GitFailed(["git", "merge-tree"], 128, "disk full")
    [sent] = bench.run()
    assert sent.fate == "waiting"
    assert isinstance(sent.error, GitFailed)
    bench.desk.queue.check(token)
    assert bench.rescuer.saved == []


def test_a_bug_leaves_the_entry_to_the_next(bench: Bench) -> None:
    """I4: whatever ends a sync, what it was at can be sent by others."""
    bench.queue_landing(bench.claim("t1"))

    def crash(job: LandJob) -> BatonError | None:
        raise ZeroDivisionError

    bench.lander.trouble = crash
    with pytest.raises(ZeroDivisionError):
        bench.run()
    [entry] = bench.outbox.entries()
    assert entry.owner is None
    bench.lander.trouble = lambda job: None
    assert bench.fates() == [("t1", "landed")]


def test_an_entry_of_a_living_process_is_left_to_it(bench: Bench) -> None:
    me = find_process(os.getpid(), origin=bench.desk.clock.origin)
    bench.queue_landing(bench.claim("t1"), owner=me)
    [sent] = bench.run()
    assert (sent.fate, sent.error) == ("waiting", None)
    assert bench.lander.jobs == []


def test_an_entry_of_a_dead_process_is_tried_again_as_such(bench: Bench) -> None:
    bench.queue_landing(bench.claim("t1"), owner=DEAD)
    assert bench.fates() == [("t1", "landed")]
    assert [again for _, again in bench.lander.jobs] == [True]


def test_what_cannot_be_read_waits_and_stops_nothing(bench: Bench) -> None:
    bench.outbox.put("land", "t1", {"format": "of the future"})
    bench.outbox.put("rescue", "t2", {"task": "t2", "epoch": 3, "commit": OID, "actor": "bob"})
    assert bench.fates() == [("t1", "waiting"), ("t2", "rescued")]
    assert bench.rescuer.pushed == [Rescue("t2", 3, OID)]
    assert [entry.task for entry in bench.outbox.entries()] == ["t1"]


def test_what_another_landing_keeps_is_not_released(bench: Bench) -> None:
    token = bench.claim("t1")
    bench.queue_landing(token)
    bench.repository.refs[queued_name(token)] = OTHER
    bench.repository.refs["queued/t2-e1"] = OID
    assert bench.fates() == [("t1", "landed")]
    assert bench.repository.refs == {queued_name(token): OTHER, "queued/t2-e1": OID}


def test_a_rescue_that_could_not_be_pushed_says_so(bench: Bench) -> None:
    bench.queue_landing(bench.claim("t1"))
    bench.lander.trouble = lambda job: ClaimLost("t1", "gone")
    bench.rescuer.away = True
    [sent] = bench.run()
    assert sent.fate == "rescued"
    assert "kept here" in sent.text


def test_the_end_of_a_claim_that_was_taken_away_is_refused(bench: Bench) -> None:
    token = bench.claim("t1")
    bench.outbox.put("fail", "t1", {"token": str(token), "reason": "red"})
    bench.desk.queue.cancel("t1", None, actor=ANN)
    [sent] = bench.run()
    assert (sent.fate, sent.token) == ("refused", token)
    assert bench.outbox.entries() == []
