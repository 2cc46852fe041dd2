"""I3, I4: syncs killed at random moments, beside somebody who edits and somebody who pushes."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.integration.chaos.seeds import SOAK, generator
from tests.integration.workspace.integration.clones import Clones, Tree, kept

STORMS = 2
ROUNDS = 6


@pytest.mark.race
@pytest.mark.parametrize("number", range(STORMS))
def test_storm(clones: Clones, number: int) -> None:
    run_storm(clones, generator(number))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", range(STORMS, STORMS + SOAK // 5))
def test_long_storm(clones: Clones, number: int) -> None:
    run_storm(clones, generator(number))


def run_storm(clones: Clones, rng: random.Random) -> None:
    """Each round: upstream moves, files here are edited and staged, a sync is killed."""
    theirs, ours = clones("theirs"), clones("ours")
    mine: set[str] = set()
    for number in range(ROUNDS):
        push_something(theirs, number, rng)
        edits = dirty(ours, number, rng)
        if rng.random() < 0.5:
            name = f"mine-{number}"
            ours.write(name, f"{name}\n")
            ours.git("add", "--", name)
            ours.git("commit", "-q", "-m", name, "--", name)
            mine.add(name)
        staged = staged_of(ours)
        kill_a_sync(ours, rng)
        settle(ours)
        done = ours.sync(publish=rng.random() < 0.5)
        for path, content in edits.items():
            assert (ours.top / path).read_bytes() == content, (number, path)
        index = ours.git("ls-files", "-s").split("\n")
        assert staged <= set(index), (number, "what was staged is staged")
        behind = set(kept(done))
        changed = ours.git("diff", "--name-only", "HEAD").split("\n")
        assert set(filter(None, changed)) <= edits.keys(), (number, behind)
        clean(ours, edits)
        assert ours.git("status", "--porcelain") == ""
    ours.sync(publish=True)
    subjects = ours.git("log", "--format=%s", "origin/main").split("\n")
    assert len(subjects) == len(set(subjects)), "nothing is there twice"
    assert mine <= set(subjects)
    assert {f"up {number}" for number in range(ROUNDS)} <= set(subjects)


def push_something(theirs: Tree, number: int, rng: random.Random) -> None:
    theirs.git("pull", "-q", "--rebase")
    for path in rng.sample(("a", "b", "c", "d", "dir/one", "dir/two", "new"), 3):
        theirs.write(path, f"up {number} {path}\n" * rng.randint(1, 2000))
        theirs.git("add", "--", path)
    theirs.commit(f"up {number}")
    theirs.git("push", "-q")


def dirty(ours: Tree, number: int, rng: random.Random) -> dict[str, bytes]:
    """Edit a few files, stage some of them; return what they hold."""
    edits = {}
    for path in rng.sample(("a", "b", "c", "e", "dir/two", "new"), rng.randint(0, 3)):
        ours.write(path, f"edited {number} {path}\n")
        if (ours.top / path).exists() and rng.random() < 0.4:
            ours.git("add", "--", path)
        edits[path] = (ours.top / path).read_bytes()
    return edits


def staged_of(ours: Tree) -> set[str]:
    """Return the entries of the index that HEAD does not have."""
    paths = ours.git("diff", "--cached", "--name-only").split("\n")
    return set(ours.git("ls-files", "-s", "--", *paths).split("\n")) if paths != [""] else set()


def kill_a_sync(ours: Tree, rng: random.Random) -> None:
    """Start a sync in a process of its own, and kill it when a random while is over."""
    moment = rng.uniform(0.0, 0.25)
    child = os.fork()
    if child == 0:
        try:
            ours.integration().run(publish=rng.random() < 0.5)
        finally:
            os._exit(0)
    time.sleep(moment)  # what is tested is just any moment
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def settle(ours: Tree) -> None:
    """Wait until no git that outlived the killed process holds a lock."""
    places = [ours.top / ".git", ours.top / ".git" / "refs"]
    deadline = time.monotonic() + 20
    while locks := [lock for place in places for lock in place.glob("**/*.lock") if is_gits(lock)]:
        assert time.monotonic() < deadline, locks
        time.sleep(0.005)


def is_gits(lock: Path) -> bool:
    return lock.name != "commit.lock"


def clean(ours: Tree, edits: dict[str, bytes]) -> None:
    """Take the edits back, as their owner would."""
    for path in edits:
        ours.git("rm", "-q", "-f", "--cached", "--ignore-unmatch", "--", path)
        (ours.top / path).unlink(missing_ok=True)
        if ours.git("ls-tree", "HEAD", "--", path):
            ours.git("checkout", "-q", "HEAD", "--", path)
