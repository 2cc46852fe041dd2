"""Claims with no remote: one queue for all sessions and worktrees of a clone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.functional.baton import COMMAND, Baton
from tests.functional.working import add, configure, tasks, work


@pytest.fixture
def alone(baton: Baton) -> Baton:
    configure(baton)
    assert baton.ok("init", "--sqlite")["engine"] == "sqlite"
    return baton


def linked(clone: Baton, name: str) -> Baton:
    """Return a linked worktree of ``clone`` as a session of this name would use it."""
    tree = clone.directory.parent / name
    clone.git("worktree", "add", "-q", "-b", f"topic/{name}", str(tree))
    return Baton(tree, {"BATON_SESSION": name})


def test_every_worktree_sees_one_queue(alone: Baton, tmp_path: Path) -> None:
    """Added here, claimed there, finished there; the log tells it everywhere."""
    ann, bob = linked(alone, "ann"), linked(alone, "bob")
    alone.ok("add", "One", "--id", "t1")
    ann.ok("add", "Two", "--id", "t2", "--needs", "t1")
    ann.ok("claim", "t1", "--agent", "ann")
    held = bob("claim", "t1", "--json")
    assert (held.status, held.error["code"]) == (75, "held")
    assert "ann has it" in held.error["message"]
    assert bob("claim", "--json").error["code"] == "waiting"
    assert bob.ok("why", "t2")["obstacles"]
    ran = bob("exec", "t1", "--", "touch", str(tmp_path / "ran"))
    ran_too = bob("session", "exec", "--task", "t1", "--", "touch", str(tmp_path / "ran"))
    assert (ran.status, ran_too.status) == (75, 75)
    assert not (tmp_path / "ran").exists()
    assert bob.ok("session", "list")["sessions"] == [], "nothing was started for it"
    assert bob("done", "t1").status == 76
    commit = ann.commit("topic/result", "result", "x\n")
    ann.ok("done", "t1", "--branch", "topic/result")
    assert alone.ok("show", "t1")["result"]["commit"] == commit
    bob.ok("claim", "t2", "--agent", "bob")
    bob.ok("block", "t2", "--reason", "which one?")
    alone.ok("unblock", "t2", "--answer", "this one")
    events = [e["event"] for e in alone.ok("log")["events"]]
    assert events == [e["event"] for e in bob.ok("log")["events"]]
    assert {"add", "claim", "done", "block", "unblock"} <= set(events)
    assert bob.ok("reap") == {"reaped": [], "dry_run": False}


@pytest.mark.race
def test_sixteen_processes_share_what_there_is(alone: Baton) -> None:
    """I1: from the clone and from its worktrees, each task is claimed by exactly one."""
    trees = [alone, linked(alone, "ann"), linked(alone, "bob")]
    drafts = "".join(json.dumps({"id": f"t{n}", "title": "T"}) + "\n" for n in range(48))
    (alone.directory.parent / "drafts").write_text(drafts)
    alone.ok("add", "--from", str(alone.directory.parent / "drafts"))
    crew = [
        subprocess.Popen(
            [*COMMAND, "claim", "--count", "3", "--json"],
            cwd=trees[number % 3].directory,
            env={**alone.environment(), "BATON_SESSION": f"s{number}"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(16)
    ]
    told = [json.loads(process.communicate(timeout=120)[0]) for process in crew]
    assert {one["error"]["code"] for one in told if "error" in one} <= {"lost"}
    claimed = [claim["task"]["id"] for one in told for claim in one.get("claims", ())]
    assert len(claimed) == len(set(claimed)) >= 16
    found = tasks(alone)
    assert all(found[task]["claim"]["epoch"] == 1 for task in claimed)
    assert sum(task["status"] == "in-progress" for task in found.values()) == len(claimed)


def test_the_worker_leaves_alone_what_a_session_holds(alone: Baton) -> None:
    """The selector never offers it, from whichever worktree the worker runs."""
    ann = linked(alone, "ann")
    add(alone, {"id": "uncommitted"}, {"id": "commits"})
    ann.ok("claim", "commits", "--agent", "ann")
    status, worker = work(ann.acting(BATON_SESSION="worker"), "--once")
    assert (status, worker.kinds("uncommitted")) == (0, ["claimed", "landed"])
    assert worker.kinds("commits") == []
    assert work(ann, "--once")[0] == 75
    assert tasks(alone)["commits"]["claim"]["agent"] == "ann"


def test_a_session_does_a_task_in_a_worktree_of_its_own(alone: Baton) -> None:
    alone.ok("add", "One", "--id", "t1")
    script = "echo x > made; git add made; git commit -qm made; echo $BATON_SESSION"
    answer = alone(
        "session",
        "exec",
        "--name",
        "ann",
        "--worktree",
        "--task",
        "t1",
        "--json",
        *("--", "sh", "-ec", script),
    )
    assert (answer.status, answer.err.splitlines()[-1]) == (0, "ann")
    done = answer.json
    assert done["ended"] == {"name": "ann", "ended": True, "kept": None, "reasons": []}
    assert done["task"]["result"]["branch"] == "task/t1"
    assert alone.git("show", "task/t1:made") == "x"
    assert not Path(done["session"]["directory"]).exists()
    alone.ok("add", "Two", "--id", "t2")
    failed = alone(
        "session", "exec", "--worktree", "--task", "t2", "--", "sh", "-c", "touch x; exit 4"
    )
    assert failed.status == 4
    assert "is kept: changes that are not committed" in failed.err
    assert alone.ok("show", "t2")["status"] == "pending"
    [kept] = alone.ok("session", "list")["sessions"]
    assert (kept["state"], kept["task"]) == ("kept", "t2")
    Path(kept["directory"], "x").unlink()
    assert alone.ok("session", "end", kept["name"])["kept"] is None
