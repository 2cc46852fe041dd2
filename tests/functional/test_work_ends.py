"""When `baton work` ends, with which exit status, and what it says until then."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
from pathlib import Path

import pytest

from tests.functional.baton import COMMAND, Baton
from tests.functional.working import (
    ROGUE,
    Place,
    add,
    kept_worktrees,
    script,
    tasks,
    wait_until,
    work,
    working,
)
from tests.servers.site import BareRepository


@pytest.fixture
def place(tmp_path: Path, file_remote: BareRepository) -> Place:
    return Place(tmp_path, file_remote)


@pytest.fixture
def clone(place: Place) -> Baton:
    return place.clone("clone")


def test_once_takes_one_task_or_says_at_once_that_there_is_none(clone: Baton) -> None:
    status, worker = work(clone, "--once")
    assert (status, worker.events[-1]["error"]["code"]) == (75, "empty")
    add(clone, {"id": "uncommitted"}, {"id": "fails", "max_attempts": 1, "priority": 9})
    add(clone, {"id": "later", "needs": ["fails"]})
    assert [work(clone, "--once")[0] for _ in range(2)] == [0, 1]
    status, worker = work(clone, "--once")
    assert (status, worker.events[-1]["error"]["code"]) == (75, "waiting")


def test_a_claim_that_could_not_be_ended_is_ended_by_the_same_worker(
    place: Place, clone: Baton
) -> None:
    """I4: its record stays until then; the lease is much longer than the test."""
    add(clone, {"id": "one", "max_attempts": 1})
    refuse = place.gate / "refuse"
    hook = place.remote.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n[ ! -e {refuse} ]\n")
    hook.chmod(0o755)
    agent = script(place.area, f"echo 1 >work; touch {refuse}; exit 1")
    with working(clone, "--lease", "1h", agent=agent) as worker:
        worker.until("failed", "one")
        assert "could not be ended as yet" in worker.of("notice", "one")[0]["text"]
        refuse.unlink()
        wait_until(lambda: tasks(clone)["one"]["status"] == "failed", "the end of the claim")
        worker.signal(signal.SIGTERM)
        assert worker.end() == 130
    assert len(place.rescues("one", 1)) == 1
    assert kept_worktrees(clone) == set()


def test_drain_ends_when_nothing_is_left_to_do(clone: Baton) -> None:
    """What failed before, what fails once, and what waits for others, is no failure of it."""
    assert work(clone, "--drain")[0] == 0, "there is nothing at all"
    add(clone, {"id": "fails", "max_attempts": 1})
    assert work(clone, "--drain")[0] == 1
    add(clone, {"id": "after", "needs": ["fails"]}, {"id": "gpu", "requires": ["gpu"]})
    add(clone, {"id": "gate", "gate": "prod"})
    add(clone, {"id": "red-check", "checks": ["sh -c 'test $BATON_EPOCH = 2'"]})
    status, worker = work(clone, "--drain")
    assert (status, worker.kinds("red-check")) == (
        0,
        ["claimed", "failed", "rescued", "claimed", "landed"],
    )
    waiting = worker.of("waiting")[-1]["text"]
    assert "after: it needs fails, which is failed" in waiting
    assert "gpu: it requires 'gpu'" in waiting
    assert "gate: " in waiting


def test_an_idle_worker_says_what_it_waits_for_and_only_once(clone: Baton) -> None:
    """Then ^C ends it; and what comes meanwhile is found without being told."""
    add(clone, {"id": "gpu", "requires": ["gpu"]}, {"id": "prod", "gate": "prod"})
    with working(clone, "--name", "idle") as worker:
        text = worker.until("waiting")["text"]
        assert "gpu: it requires 'gpu', which idle does not have" in text
        assert "prod: " in text
        add(clone, {"id": "uncommitted"})
        worker.until("landed", "uncommitted")
        wait_until(lambda: len(worker.of("waiting")) == 2, "waiting again")
        worker.signal(signal.SIGINT)
        assert worker.end() == 130
    assert worker.events[-1]["event"] == "ended"


def test_the_first_interrupt_drains_the_second_stops(place: Place, clone: Baton) -> None:
    add(clone, {"id": "gated", "priority": 0}, {"id": "nothing"})
    with working(clone, "--jobs", "1") as worker:
        place.arrived("gated")
        worker.signal(signal.SIGINT)
        worker.until("draining")
        place.let_go("gated")
        assert worker.end() == 130
    assert worker.kinds("gated") == ["claimed", "landed"]
    assert tasks(clone)["nothing"]["status"] == "pending", "nothing more was claimed"

    clone.ok("retry", "gated")
    with working(clone, "--jobs", "1") as worker:
        place.arrived("gated", 2)
        worker.signal(signal.SIGINT)
        worker.until("draining")
        worker.signal(signal.SIGINT)
        assert worker.end() == 130
    assert worker.kinds("gated") == ["claimed", "released", "rescued"]
    gated = tasks(clone)["gated"]
    assert (gated["status"], gated["attempts"]) == ("pending", 0)
    assert gated["reason"] == "the worker was stopped"
    [rescued] = place.rescues("gated", 2)
    assert "gated.txt" in place.files(rescued)
    assert kept_worktrees(clone) == set()


def test_a_termination_stops_at_once(place: Place, clone: Baton) -> None:
    add(clone, {"id": "gated"})
    with working(clone) as worker:
        place.arrived("gated")
        worker.signal(signal.SIGTERM)
        assert worker.end() == 130
    assert worker.kinds("gated") == ["claimed", "released", "rescued"]


def test_an_agent_that_is_not_there_is_refused_at_the_start(clone: Baton) -> None:
    bare = clone.acting(PATH="/usr/bin:/bin")
    for agent in ("claude", "/no/such/agent"):
        answer = bare("work", "--agent", agent, "--drain", "--json")
        assert (answer.status, answer.error["code"]) == (1, "no_agent")
        assert agent in answer.error["message"]
        assert "baton work --agent" in answer.error["next"]


def test_an_agent_that_is_not_in_the_worktree_ends_the_worker(clone: Baton) -> None:
    """It can only be looked for once there is a worktree; no attempt is counted for that."""
    add(clone, {"id": "t1"}, {"id": "t2"})
    status, worker = work(clone, "--drain", agent="./tools/agent")
    assert (status, worker.events[-1]["error"]["code"]) == (1, "no_agent")
    assert len(worker.of("claimed")) == 1
    after = tasks(clone)
    assert {after[id]["status"] for id in after} == {"pending"}
    assert {after[id]["attempts"] for id in after} == {0}


def test_set_up_must_succeed(clone: Baton, tmp_path: Path) -> None:
    add(clone, {"id": "t1", "max_attempts": 2})
    agent = script(tmp_path, "test -e prepared; touch done")
    setup = "sh -c 'echo ready >prepared; test $BATON_EPOCH = 2'"
    status, worker = work(clone, "--drain", "--setup", setup, agent=agent)
    assert (status, worker.kinds("t1")[:2]) == (0, ["claimed", "failed"])
    assert worker.of("failed", "t1")[0]["text"] == f"setup failed: `{setup}`: exit status 1"
    assert worker.kinds("t1")[-1] == "landed"


def test_a_terminal_shows_live_slots_and_lines_elsewhere(place: Place, clone: Baton) -> None:
    add(clone, {"id": "gated", "title": "Wait at the gate"})
    command = [*COMMAND, "work", "--agent", ROGUE, "--drain", "--name", "w"]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=clone.directory,
        env={**clone.environment(), "TERM": "xterm", "COLUMNS": "100"},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(theirs)
    shown = bytearray()

    def plain() -> str:
        if select.select([ours], [], [], 0.05)[0]:
            try:
                shown.extend(os.read(ours, 65536))
            except OSError:  # Linux says so when the other end is closed
                pass
        return re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", bytes(shown)).decode(errors="replace")

    wait_until(lambda: re.search(r"#1 +gated +0:\d\d +running", plain()), "the live slot")
    place.let_go("gated")
    wait_until(lambda: "landed" in plain() and "ended" in plain(), "the end")
    assert process.wait(60) == 0
    while select.select([ours], [], [], 0)[0]:  # what it said after the end
        before = len(shown)
        plain()
        if len(shown) == before:
            break
    os.close(ours)
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert b"\x1b[?25h" in shown, "the cursor is shown again"

    add(clone, {"id": "uncommitted"})
    lines = clone("work", "--agent", ROGUE, "--drain", "--name", "w")
    assert lines.status == 0
    assert "\x1b" not in lines.out
    pattern = r"\d\d:\d\d:\d\d #1 landed   uncommitted: on task/uncommitted \([0-9a-f]{10}\)"
    assert re.search(pattern, lines.out)
