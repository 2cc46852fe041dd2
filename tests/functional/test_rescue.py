"""``baton rescue``: work that could not land is found, got back and filed away (I3)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.functional.baton import Baton
from tests.functional.outage import away
from tests.functional.upkeep import script
from tests.servers.site import BareRepository

Clones = Callable[[str], Baton]


def work_on(clone: Baton, task: str) -> str:
    """Claim ``task`` in ``clone`` and commit something for it."""
    clone.ok("claim", task, "--create")
    commit = clone.commit(f"work-{task}", task, "text\n")
    clone.git("checkout", "-q", "main")
    return commit


def rescue_offline(clone: Baton, other: Baton, remote: BareRepository, task: str) -> str:
    """Let ``other`` take the task away while ``clone`` is offline; return the rescued commit."""
    commit = work_on(clone, task)
    with away(remote):
        clone.ok("done", task, "--branch", f"work-{task}")
    other.ok("cancel", task)
    assert [s["fate"] for s in clone.ok("sync")["sent"]] == ["rescued"]
    clone.git("branch", "-D", f"work-{task}")
    return commit


def test_from_the_rescue_to_the_branch(clones: Clones, file_remote: BareRepository) -> None:
    one, two = clones("one"), clones("two")
    assert two.ok("rescue", "list") == {"rescues": [], "worktrees": []}
    assert two("rescue", "list").out == "no rescue\n"
    commit = rescue_offline(one, two, file_remote, "t1")
    [found] = two.ok("rescue", "list")["rescues"]
    at = found.pop("at")
    assert at.endswith("Z")
    assert found == {
        "task": "t1",
        "epoch": 1,
        "commit": commit,
        "subject": "write t1",
        "where": "remote",
    }
    human = two("rescue", "list").out
    assert all(word in human for word in ("t1/1", commit[:10], "write t1", "remote"))
    assert two("rescue", "restore", "t9", "--json").error["code"] == "unknown_rescue"
    restored = two.ok("rescue", "restore", "t1")
    assert (restored["branch"], restored["commit"]) == ("rescue/t1-e1", commit)
    assert two.git("show", "rescue/t1-e1:t1") == "text"
    again = two("rescue", "restore", "t1", "--json")
    assert (again.status, again.error["code"]) == (1, "exists")
    assert two.ok("rescue", "restore", commit[:12], "--branch", "mine")["branch"] == "mine"
    assert two("rescue", "restore", "t1/1", "--branch", "no..good").status == 2
    assert "git merge other" in two("rescue", "restore", "t1/1", "--branch", "other").out


def test_a_branch_is_never_overwritten(clones: Clones, file_remote: BareRepository) -> None:
    one, two = clones("one"), clones("two")
    rescue_offline(one, two, file_remote, "t1")
    before = two.git("rev-parse", "main")
    for name in ("main", "other"):
        two.git("branch", "-f", "other", "main")
        assert two("rescue", "restore", "t1", "--branch", name).status == 1
        assert two.git("rev-parse", name) == before


def test_dropping_destroys_nothing(clones: Clones, file_remote: BareRepository) -> None:
    """I3: the ref goes, and in the same push its commit joins the history of a branch."""
    one, two = clones("one"), clones("two")
    commits = [rescue_offline(one, two, file_remote, task) for task in ("t1", "t2", "t3")]
    dropped = two.ok("rescue", "drop", "t1", "t2")
    assert [d["task"] for d in dropped["dropped"]] == ["t1", "t2"]
    assert dropped["branch"] == "baton-rescue"
    two.ok("rescue", "drop", commits[2][:10])
    refs = file_remote.refs()
    assert not [ref for ref in refs if ref.startswith("refs/baton/rescue/")]
    reached = file_remote.git("rev-list", refs["refs/heads/baton-rescue"]).split("\n")
    assert set(commits) <= set(reached)
    assert "t1 epoch 1: write t1" in file_remote.git("log", "baton-rescue")
    assert file_remote.git("ls-tree", "baton-rescue") == ""
    assert two.ok("rescue", "list")["rescues"] == []
    assert one.ok("rescue", "list")["rescues"] == [], "what one keeps itself is filed away as well"
    assert two("rescue", "drop", "t1").status == 1


def test_a_host_without_atomic_pushes(clones: Clones, file_remote: BareRepository) -> None:
    file_remote.configure("receive.advertiseAtomic", "false")
    one, two = clones("one"), clones("two")
    commit = rescue_offline(one, two, file_remote, "t1")
    two.ok("rescue", "drop", "t1")
    refs = file_remote.refs()
    assert not [ref for ref in refs if ref.startswith("refs/baton/rescue/")]
    assert commit in file_remote.git("rev-list", refs["refs/heads/baton-rescue"])


def test_a_host_that_lets_nothing_be_deleted(clones: Clones, file_remote: BareRepository) -> None:
    one, two = clones("one"), clones("two")
    commit = rescue_offline(one, two, file_remote, "t1")
    hook = file_remote.path / "hooks" / "update"
    hook.write_text('#!/bin/sh\ncase "$3" in *[!0]*) ;; *) echo no deletions >&2; exit 1;; esac\n')
    hook.chmod(0o755)
    answer = two("rescue", "drop", "t1", "--json")
    assert answer.status == 77
    assert file_remote.refs()[f"refs/baton/rescue/t1/1-{commit}"] == commit


def test_what_is_kept_here_can_be_seen_while_the_remote_is_away(
    clones: Clones, file_remote: BareRepository, tmp_path: Path
) -> None:
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    hidden = file_remote.path.with_suffix(".away")
    agent = script(tmp_path, f"echo work > made; mv {file_remote.path} {hidden}; exit 1")
    one("work", "--once", "--agent", agent)
    listed = one("rescue", "list", "--json")
    assert listed.status == 69
    [found] = listed.json["rescues"]
    assert (found["task"], found["where"]) == ("t1", "here")
    assert one.ok("rescue", "restore", "t1")["commit"] == found["commit"]
    assert one.git("show", "rescue/t1-e1:made") == "work"
    hidden.rename(file_remote.path)
    assert [f["where"] for f in one.ok("rescue", "list")["rescues"]] == ["here"]
    assert {s["fate"] for s in one.ok("sync")["sent"]} == {"done", "rescued"}
    assert [f["where"] for f in one.ok("rescue", "list")["rescues"]] == ["remote"]


def test_without_a_remote(baton: Baton, tmp_path: Path) -> None:
    baton.ok("add", "One", "--id", "t1")
    agent = script(tmp_path, "echo work > made; exit 1")
    baton("work", "--once", "--agent", agent)
    [found] = baton.ok("rescue", "list")["rescues"]
    assert (found["task"], found["where"]) == ("t1", "here")
    baton.ok("rescue", "restore", "t1")
    assert baton.git("show", "rescue/t1-e1:made") == "work"
    dropped = baton.ok("rescue", "drop", "t1")
    assert dropped["branch"] == "refs/kept/archive"
    assert baton.ok("rescue", "list")["rescues"] == []
    kept = Baton(baton.directory / ".git" / "baton")
    assert found["commit"] in kept.git("rev-list", "refs/kept/archive")


def test_worktrees_that_had_to_be_kept(clones: Clones, tmp_path: Path) -> None:
    one = clones("one")
    one.commit("main", ".gitignore", "secret\n")
    one.git("push", "-q", "origin", "main")
    one.ok("add", "One", "--id", "t1")
    assert one("work", "--once", "--agent", script(tmp_path, "echo key > secret")).status == 0
    [left] = one.ok("rescue", "list")["worktrees"]
    assert (left["task"], left["epoch"]) == ("t1", 1)
    assert left["reasons"] == ["ignored files: secret"]
    assert (Path(left["path"]) / "secret").read_text() == "key\n"
    assert "ignored files: secret" in one("rescue", "list").out


def test_what_to_do_has_to_be_said(baton: Baton) -> None:
    for words in (["rescue"], ["rescue", "drop"], ["rescue", "restore"], ["rescue", "erase"]):
        assert baton(*words).status == 2, words
    assert "baton-rescue" in baton("rescue", "drop", "--help").out
