"""A landing whose record was written and whose branch was not: anybody lets it follow (I2, I4)."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitbaton.core.clock import SystemClock
from gitbaton.core.ids import Oid
from gitbaton.git.plain import PlainRemote
from gitbaton.store.gitengine import GitStore
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import Actor, Branch, Committed, Move, Transaction
from gitbaton.tasks.claims import Claimant
from gitbaton.tasks.drafts import Draft
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.observations import Observer
from gitbaton.tasks.queue import Queue
from gitbaton.tasks.settings import QueueSettings
from gitbaton.work.settling import Settler
from gitbaton.work.upstream import Upstream
from tests.integration.store.place import ACTOR, Place, make_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = make_place(tmp_path)
    yield made
    made.close()


class Bench:
    """One machine's queue and settler."""

    def __init__(self, place: Place, number: int) -> None:
        clock = SystemClock()
        self.store: GitStore = place.store(number)
        self.queue = Queue(
            self.store,
            clock=clock,
            rng=random.Random(number),
            settings=QueueSettings(project="p"),
            gatekeeper=GateKeeper(project="p"),
            observer=Observer(MemoryStore(clock=clock), clock, "x"),
        )
        repository = place.repository(number)
        upstream = Upstream(repository, PlainRemote(repository.git, str(place.remote)))
        self.settler = Settler(self.queue, upstream, self.follow, default_target="main")

    def follow(self, move: Move, actor: Actor) -> None:
        step = Transaction(expect={}, write={}, moves=(move,), subject="land: late", actor=actor)
        [outcome] = self.store.commit([step])
        assert isinstance(outcome, Committed)


def landed(place: Place, bench: Bench, branch: str, old: Oid | None) -> Oid:
    """Land a task on ``branch`` and return its commit."""
    bench.queue.add([Draft(title="x", id="x")], actor=ACTOR)
    [claimed] = bench.queue.claim(Claimant("a", "w", "m"))
    commit = place.commit_file(0, "result.txt", "result")
    move = Move(Branch(branch), old, commit)
    bench.queue.done(claimed.token, branch=branch, commit=commit, moves=[move])
    return commit


def seeded(place: Place) -> Oid:
    """Push a first commit to main and return it."""
    seed = place.commit_file(0, "seed.txt", "seed")
    push = ["git", "-C", str(place.clone(0)), "push", "-q", str(place.remote), "main"]
    subprocess.run(push, check=True)
    return seed


@pytest.mark.parametrize("branch", ["main", "task/x"])
def test_a_branch_that_was_left_behind_follows(place: Place, branch: str) -> None:
    seed = seeded(place)
    bench = Bench(place, 0)
    commit = landed(place, bench, branch, seed if branch == "main" else None)
    if branch == "main":
        place.git("update-ref", "refs/heads/main", seed)
    else:
        place.git("update-ref", "-d", "refs/heads/task/x")
    assert bench.settler.run() == [f"x: {branch} had not followed its record, and does now"]
    assert place.refs()[f"refs/heads/{branch}"] == commit
    assert bench.settler.run() == []


def test_whoever_lacks_the_commit_says_so(place: Place) -> None:
    seed = seeded(place)
    commit = landed(place, Bench(place, 0), "main", seed)
    place.git("update-ref", "refs/heads/main", seed)
    told = Bench(place, 1).settler.run()
    assert told == [f"x is done, but main lacks its commit {commit[:10]}"]


def test_a_branch_deleted_after_it_was_merged_stays_deleted(place: Place) -> None:
    seed = seeded(place)
    bench = Bench(place, 0)
    commit = landed(place, bench, "task/x", None)
    place.git("update-ref", "refs/heads/main", commit, seed)
    place.git("update-ref", "-d", "refs/heads/task/x")
    assert bench.settler.run() == []
    assert "refs/heads/task/x" not in place.refs()


def test_a_branch_that_is_deleted_again_stays_deleted(place: Place) -> None:
    seeded(place)
    bench = Bench(place, 0)
    landed(place, bench, "task/x", None)
    for _ in range(2):
        place.git("update-ref", "-d", "refs/heads/task/x")
        bench.settler.run()
    assert "refs/heads/task/x" not in place.refs()
