"""Workers that are killed, suspended or slow: somebody else goes on, and nothing is lost (I4)."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil
import pytest

from tests.functional.baton import Baton
from tests.functional.working import Place, add, kept_worktrees, script, tasks, wait_until, working
from tests.integration.work.clone_state import unchanged
from tests.servers.site import BareRepository

LEASE = ("--lease", "2s")
LONG = ("--lease", "1h")


@pytest.fixture
def place(tmp_path: Path, file_remote: BareRepository) -> Place:
    return Place(tmp_path, file_remote)


def marked(task: str) -> list[psutil.Process]:
    """The processes of a task's agents."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("BATON_TASK") == task:
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_a_killed_worker_is_cleaned_up_after_and_its_task_done_again(place: Place) -> None:
    """SIGKILL while the agent runs; the next worker of the clone gives its claim back, and lands.

    At once: the lease is much longer than the test.
    """
    clone = place.clone("clone")
    add(clone, {"id": "gated"})
    with unchanged(clone.directory):
        with working(clone, "--name", "first", *LONG) as first:
            place.arrived("gated")
            first.signal(signal.SIGKILL)
            assert first.end() == -signal.SIGKILL
        wait_until(lambda: not marked("gated"), "the end of the orphaned agent")
        assert kept_worktrees(clone) == {"gated-e1"}
        place.let_go("gated", 2)
        with working(clone, "--name", "second", "--drain", *LONG) as second:
            assert second.end() == 0
    assert second.kinds("gated") == ["rescued", "notice", "claimed", "landed"]
    assert second.of("notice")[0]["text"] == "fail that waited: done it is pending"
    assert second.of("rescued")[0]["text"] == "pushed: its worker died"
    [rescued] = place.rescues("gated", 1)
    assert "gated.txt" in place.files(rescued)
    assert kept_worktrees(clone) == set()
    task = tasks(clone)["gated"]
    assert (task["status"], task["attempts"]) == ("done", 1)
    words = [event["event"] for event in clone.ok("log", "gated")["events"]]
    assert [word for word in words if word != "renew"] == [
        *("done", "claim", "fail", "claim", "add"),
    ]


def test_a_worker_that_is_killed_while_it_lands_is_landed_after(place: Place) -> None:
    """I3, I4: the result is in the outbox and in the worktree; the next one keeps and lands it."""
    clone = place.clone("clone")
    add(clone, {"id": "gated"})
    hook = place.remote.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\ngrep -q refs/heads/task/ || exit 0\n"
        f"touch {place.gate}/pushing\n"
        f"until [ -e {place.gate}/refuse ]; do sleep 0.05; done\nexit 1\n"
    )
    hook.chmod(0o755)
    place.let_go("gated")
    with working(clone, *LONG) as first:
        wait_until((place.gate / "pushing").exists, "the push of the result")
        first.signal(signal.SIGKILL)
        first.end()
    (place.gate / "refuse").touch()
    hook.unlink()
    with working(clone, "--drain", *LONG) as second:
        assert second.end() == 0
    assert second.kinds("gated") == ["landed"]
    task = tasks(clone)["gated"]
    assert (task["status"], task["attempts"]) == ("done", 0)
    assert place.branch("task/gated") == task["result"]["commit"]
    assert (place.rescues("gated"), kept_worktrees(clone)) == ([], set())
    assert clone.git("for-each-ref", "refs/kept/") == ""
    assert clone.git("-C", ".git/baton", "for-each-ref", "refs/kept/") == ""


def test_a_worker_of_another_clone_leaves_the_claim_to_its_lease(place: Place) -> None:
    """It cannot know that the holder is dead: only the clone of the dead one can."""
    one, two = place.clone("one"), place.clone("two")
    add(one, {"id": "gated"})
    with working(one, *LONG) as first:
        place.arrived("gated")
        first.signal(signal.SIGKILL)
        first.end()
    wait_until(lambda: not marked("gated"), "the end of the orphaned agent")
    with working(two, "--once", *LONG) as other:
        assert other.end() == 75
    assert tasks(two)["gated"]["status"] == "in-progress"
    assert [item["what"] for item in one.ok("gc")["freed"] if item["kind"] == "claim"] == ["gated"]
    assert tasks(two)["gated"]["status"] == "pending"


def test_a_worker_that_sleeps_too_long_cannot_publish(place: Place) -> None:
    """I2: suspended for longer than its lease, it finds its task done by somebody else."""
    one, two = place.clone("one"), place.clone("two")
    add(one, {"id": "gated"})
    with working(one, "--name", "sleeper", *LEASE) as sleeper:
        place.arrived("gated")
        sleeper.signal(signal.SIGSTOP)
        place.let_go("gated", 2)
        with working(two, "--name", "other", "--drain", *LEASE) as other:
            assert other.end() == 0
        assert other.kinds("gated") == ["reaped", "claimed", "landed"]
        result = tasks(two)["gated"]["result"]
        place.let_go("gated", 1)  # its agent ends well, with a result of its own
        wait_until(lambda: not marked("gated"), "the end of the sleeper's agent")
        sleeper.signal(signal.SIGCONT)
        sleeper.until("rescued", "gated")
        sleeper.signal(signal.SIGINT)
        assert sleeper.end() == 130
    assert sleeper.kinds("gated") == ["claimed", "lost", "rescued"]
    assert tasks(two)["gated"]["result"] == result
    assert place.branch("task/gated") == result["commit"]
    [late] = place.rescues("gated", 1)
    assert late != result["commit"]
    assert "gated.txt" in place.files(late)


def test_heartbeats_keep_a_long_task_and_two_workers_may_share_a_name(place: Place) -> None:
    """An agent works for several leases; the others, of the same name, take nothing from it."""
    one, two = place.clone("one"), place.clone("two")
    add(one, {"id": "long"})
    agent = script(
        place.area, 'echo "$BATON_AGENT" >long.txt; sleep 7; touch "$GATE/long.$BATON_EPOCH"'
    )
    with (
        working(one, "--name", "twin", "--drain", *LEASE, agent=agent) as first,
        working(two, "--name", "twin", "--drain", *LEASE, agent=agent) as second,
    ):
        assert (first.end(), second.end()) == (0, 0)
    events = [*first.events, *second.events]
    assert [e["event"] for e in events if e["event"] in ("claimed", "reaped", "landed")] == [
        "claimed",
        "landed",
    ]
    task = tasks(one)["long"]
    assert (task["status"], task["attempts"]) == ("done", 0)


def test_a_claim_that_is_taken_away_ends_its_agent(place: Place) -> None:
    clone: Baton = place.clone("clone")
    add(clone, {"id": "gated"})
    with working(clone, "--drain", *LEASE) as worker:
        place.arrived("gated")
        clone.ok("cancel", "gated", "--reason", "not wanted any more")
        assert worker.end() == 0
    assert worker.kinds("gated") == ["claimed", "lost", "rescued"]
    assert marked("gated") == []
    assert tasks(clone)["gated"]["status"] == "cancelled"
