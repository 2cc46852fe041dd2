"""``baton gc``: what holds nothing unique goes, everything else stays and is named (I3)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.functional.baton import Baton
from tests.functional.outage import away
from tests.functional.upkeep import kill_worker, script
from tests.servers.site import BareRepository

Clones = Callable[[str], Baton]


def of_kind(items: list[dict[str, Any]], kind: str) -> list[str]:
    return [item["why"] for item in items if item["kind"] == kind]


def worktrees(clone: Baton) -> list[Path]:
    return sorted((clone.directory.parent / f"{clone.directory.name}.baton/worktrees").glob("*"))


def age(path: Path, days: float) -> None:
    """Let a file look ``days`` old."""
    moment = path.stat().st_mtime - days * 86400
    os.utime(path, (moment, moment))


def test_nothing_to_free(clones: Clones) -> None:
    one = clones("one")
    one.ok("gc")
    cleaned = one.ok("gc", "--dry-run")
    assert cleaned == {"freed": [], "kept": [], "dry_run": True}
    assert one("gc", "--dry-run").out == "nothing to free\n"


def test_the_work_of_a_dead_worker_is_rescued_first(
    clones: Clones, tmp_path: Path, file_remote: BareRepository
) -> None:
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    kill_worker(one, tmp_path, "echo work > made; git add made; git commit -qm half; echo b > more")
    [worktree] = worktrees(one)
    planned = one.ok("gc", "--dry-run")
    assert of_kind(planned["freed"], "worktree") == ["after a rescue"]
    assert worktree.is_dir()
    [why] = of_kind(one.ok("gc")["freed"], "worktree")
    assert why.startswith("its work is rescued as ")
    assert not worktree.exists()
    [rescue] = [ref for ref in file_remote.refs() if ref.startswith("refs/baton/rescue/t1/1-")]
    assert file_remote.git("show", f"{rescue}:made") == "work"
    assert file_remote.git("show", f"{rescue}:more") == "b"


def test_a_worktree_without_anything_unique_just_goes(clones: Clones, tmp_path: Path) -> None:
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    kill_worker(one, tmp_path, "true")
    assert of_kind(one.ok("gc", "--dry-run")["freed"], "worktree") == ["holds nothing unique"]
    assert of_kind(one.ok("gc")["freed"], "worktree") == ["held nothing unique"]
    assert worktrees(one) == []
    assert one.ok("rescue", "list")["rescues"] == []


def test_what_no_commit_can_carry_stays(clones: Clones, tmp_path: Path) -> None:
    one = clones("one")
    one.commit("main", ".gitignore", "secret\n")
    one.git("push", "-q", "origin", "main")
    one.ok("add", "One", "--id", "t1")
    kill_worker(one, tmp_path, "echo key > secret; mkdir inner; git init -q inner")
    [worktree] = worktrees(one)
    for words in (["gc", "--dry-run"], ["gc"], ["gc"]):
        [why] = of_kind(one.ok(*words)["kept"], "worktree")
        assert "ignored files: secret" in why
        assert "repositories inside: inner/" in why
    assert (worktree / "secret").read_text() == "key\n"
    (worktree / "secret").unlink()
    subprocess.run(["rm", "-r", str(worktree / "inner")], check=True)
    assert of_kind(one.ok("gc")["freed"], "worktree") == ["held nothing unique"]
    assert worktrees(one) == []


def test_work_is_kept_here_while_the_remote_is_away(
    clones: Clones, tmp_path: Path, file_remote: BareRepository
) -> None:
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    kill_worker(one, tmp_path, "echo work > made")
    with away(file_remote):
        cleaned = one("gc", "--json")
        assert cleaned.status == 69
        assert cleaned.json["error"]["next"]
        assert of_kind(cleaned.json["freed"], "worktree")
    assert worktrees(one) == []
    [found] = one.ok("rescue", "list")["rescues"]
    assert found["where"] == "here"
    one.ok("gc")  # the outbox has it as well; sending it twice is harmless
    assert [f["where"] for f in one.ok("rescue", "list")["rescues"]] == ["remote"]


def test_old_logs_go_and_young_ones_stay(clones: Clones, tmp_path: Path) -> None:
    one = clones("one")
    for task in ("t1", "t2"):
        one.ok("add", task, "--id", task)
        one("work", "--once", "--agent", script(tmp_path, "echo hello"), "--check", "true")
    logs = one.directory / ".git/baton/logs"
    for name in ("t1-e1.log", "t1-e1.check-1.log"):
        age(logs / name, 31)
    age(logs / "t2-e1.log", 29)
    bug = logs / "bug-1.log"
    bug.touch()
    age(bug, 100)
    assert len(of_kind(one.ok("gc", "--dry-run")["freed"], "log")) == 2
    assert len(of_kind(one.ok("gc")["freed"], "log")) == 2
    assert sorted(p.name for p in logs.iterdir()) == [
        "bug-1.log",
        "t2-e1.check-1.log",
        "t2-e1.log",
    ]


def test_old_rescues_are_filed_away(
    clones: Clones, tmp_path: Path, file_remote: BareRepository
) -> None:
    """I5: old is what this machine has known for that long, whatever the commit says."""
    one = clones("one")
    (one.directory / "baton.toml").write_text('[work]\nrescue_age = "0.001s"\n')
    one.ok("add", "One", "--id", "t1", "--max-attempts", "1")
    one("work", "--once", "--agent", script(tmp_path, "echo work > made; exit 1"))
    [ref] = [ref for ref in file_remote.refs() if "/rescue/" in ref]
    commit = file_remote.refs()[ref]
    assert of_kind(one.ok("gc")["freed"], "rescue") == [], "seen for the first time"
    assert of_kind(one.ok("gc", "--dry-run")["freed"], "rescue")
    assert ref in file_remote.refs()
    assert of_kind(one.ok("gc")["freed"], "rescue") == ["old: filed in baton-rescue"]
    refs = file_remote.refs()
    assert ref not in refs
    assert commit in file_remote.git("rev-list", refs["refs/heads/baton-rescue"])
    assert one.ok("gc")["freed"] == [], "what is filed away is not brought back"
    assert not [ref for ref in file_remote.refs() if "/rescue/" in ref]


def test_a_commit_kept_for_a_landing_that_is_not_queued(
    clones: Clones, file_remote: BareRepository
) -> None:
    """A worker was killed between keeping its result and queueing it: I3 holds all the same."""
    one = clones("one")
    one.ok("list")
    commit = one.commit("work", "file", "text\n")
    private = Baton(one.directory / ".git/baton")
    ref = private.directory / "refs/kept/queued/t1-e1"
    private.git("update-ref", "refs/kept/queued/t1-e1", commit)
    assert one.ok("gc")["freed"] == [], "its writer may be about to queue it"
    age(ref, 2)
    assert of_kind(one.ok("gc")["freed"], "queued") == ["rescued: it never landed"]
    assert not ref.exists()
    assert file_remote.refs()[f"refs/baton/rescue/t1/1-{commit}"] == commit
    one.git("push", "-q", "origin", "work")
    private.git("update-ref", "refs/kept/queued/t2-e1", commit)
    age(private.directory / "refs/kept/queued/t2-e1", 2)
    assert of_kind(one.ok("gc")["freed"], "queued") == ["it is published"]
    assert not [r for r in file_remote.refs() if r.startswith("refs/baton/rescue/t2/")]


def test_packing_drops_no_object(clones: Clones) -> None:
    one = clones("one")
    for number in range(4):
        one.ok("claim", f"t{number}", "--create")
    private = Baton(one.directory / ".git/baton")
    everything = ("cat-file", "--batch-check=%(objectname)", "--batch-all-objects", "--unordered")
    before = set(private.git(*everything).split("\n"))
    assert of_kind(one.ok("gc")["freed"], "objects")
    assert int(private.git("count-objects").split(" ")[0]) == 0
    assert set(private.git(*everything).split("\n")) >= before
    assert len(one.ok("list")["tasks"]) == 4


def test_without_a_remote(baton: Baton, tmp_path: Path) -> None:
    baton.ok("add", "One", "--id", "t1")
    kill_worker(baton, tmp_path, "echo work > made")
    [why] = of_kind(baton.ok("gc")["freed"], "worktree")
    assert why.startswith("its work is rescued")
    [found] = baton.ok("rescue", "list")["rescues"]
    assert found["task"] == "t1"


def test_the_checkout_of_a_working_tree_that_is_gone(clones: Clones) -> None:
    one = clones("one")
    one.git("worktree", "add", "--quiet", "--detach", "../gone")
    hook = one.directory / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)
    gone = Baton(one.directory.parent / "gone", one.env)
    (gone.directory / "file").write_text("text\n")
    assert gone("commit", "file", "-m", "work").status == 0
    assert one.ok("gc", "--dry-run")["freed"] == []
    one.git("worktree", "remove", "--force", "../gone")
    [place] = (one.directory.parent / f"{one.directory.name}.baton" / "hooks").iterdir()
    freed = {"kind": "checkout", "what": str(place), "why": "its working tree is gone"}
    assert one.ok("gc", "--dry-run")["freed"] == [freed]
    assert place.exists()
    assert one.ok("gc")["freed"] == [freed]
    assert not place.exists()
