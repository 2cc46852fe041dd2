"""`baton work` in clones of another shape: without a remote, bare with worktrees."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.functional.baton import Baton
from tests.functional.working import Place, add, configure, kept_worktrees, tasks, work
from tests.servers.site import BareRepository


@pytest.fixture
def alone(baton: Baton) -> Baton:
    """A clone without a remote, its settings chosen."""
    configure(baton)
    assert baton.ok("init", "--sqlite")["engine"] == "sqlite"
    return baton


def test_without_a_remote_work_lands_as_a_branch_of_the_clone(alone: Baton) -> None:
    add(alone, {"id": "uncommitted"}, {"id": "needy", "needs": ["uncommitted"]})
    status, worker = work(alone, "--drain")
    assert (status, worker.kinds("needy")) == (0, ["claimed", "landed"])
    result = tasks(alone)["needy"]["result"]
    assert result["branch"] == "task/needy"
    assert alone.git("rev-parse", "task/needy") == result["commit"]
    assert "uncommitted.txt" in alone.git("show", "task/needy:seen.txt")
    assert alone.git("branch", "--show-current") == "main"
    assert alone.git("status", "--porcelain") == ""


def test_a_merge_moves_the_branch_that_is_checked_out_only_over_a_clean_tree(
    alone: Baton,
) -> None:
    add(alone, {"id": "uncommitted"})
    assert work(alone, "--drain", "--land", "merge")[0] == 0
    assert (alone.directory / "uncommitted.txt").read_text() == "by uncommitted\n"
    assert alone.git("status", "--porcelain") == ""
    assert alone.git("rev-parse", "main") == tasks(alone)["uncommitted"]["result"]["commit"]

    (alone.directory / "readme").write_text("being edited\n")
    add(alone, {"id": "commits"})
    before = alone.git("for-each-ref"), alone.git("status", "--porcelain=v2")
    status, worker = work(alone, "--drain", "--land", "merge")
    assert (alone.git("for-each-ref"), alone.git("status", "--porcelain=v2")) == before
    assert (status, worker.kinds("commits")) == (0, ["claimed", "blocked", "rescued"])
    reason = tasks(alone)["commits"]["reason"]
    assert "it could not land" in reason
    assert "unstaged changes" in reason

    alone.git("checkout", "-q", "readme")
    alone.ok("unblock", "commits")
    assert work(alone, "--drain", "--land", "merge")[0] == 0
    assert (alone.directory / "two.txt").is_file()


def test_a_bare_clone_with_worktrees_is_worked_in_like_any_other(
    tmp_path: Path, file_remote: BareRepository
) -> None:
    place = Place(tmp_path, file_remote)
    place.clone("first")
    bare = tmp_path / "project" / ".bare"
    subprocess.run(["git", "clone", "-q", "--bare", file_remote.url, str(bare)], check=True)
    top = bare.parent / "a worktree"
    subprocess.run(["git", "-C", str(bare), "worktree", "add", "-q", str(top), "main"], check=True)
    mine = Baton(top)
    configure(mine)
    add(mine, {"id": "uncommitted"}, {"id": "block"})
    before = mine.git("for-each-ref"), mine.git("worktree", "list")
    status, worker = work(mine, "--drain", "--jobs", "2")
    assert (status, worker.kinds("block")) == (0, ["claimed", "blocked"])
    assert place.branch("task/uncommitted") == tasks(mine)["uncommitted"]["result"]["commit"]
    assert (mine.git("for-each-ref"), mine.git("worktree", "list")) == before
    assert mine.git("status", "--porcelain") == ""
    assert kept_worktrees(mine) == set()
