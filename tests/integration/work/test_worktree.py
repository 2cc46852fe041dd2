"""The worktree of one claim: where it comes from, and what is left when it cannot be made."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from gitbaton.core.errors import DamagedRecord, InvalidInput, Refused
from gitbaton.core.ids import Nonce, Oid
from gitbaton.git.worktrees import Worktrees
from gitbaton.work.orphans import Orphans, sweep
from gitbaton.work.record import ClaimRecord, Phase, load_record, recorded_names, save_record
from gitbaton.work.worktree import (
    ClaimWorktree,
    Need,
    NeedConflict,
    forget_reservation,
    local_branches,
)
from tests.integration.work.clone_state import unchanged
from tests.integration.work.desk import US, Desk, agent, git, make_desk


def test_it_is_a_checkout_of_the_base_on_a_branch_of_its_own(desk: Desk) -> None:
    claim = desk.claim()
    assert claim.path == desk.directory / "task-1-e1"
    assert git(claim.path, "status", "--porcelain", "--branch") == "## work/task-1-e1"
    assert git(claim.path, "rev-parse", "HEAD") == desk.base
    assert (claim.path / "docs/page.md").read_text() == "page\n"
    assert claim.record.phase is Phase.WORKING
    assert claim.record.start == desk.base


def test_it_is_found_again_by_name(desk: Desk) -> None:
    claim = desk.claim()
    again = ClaimWorktree.open(desk.repo, "task-1-e1")
    assert again is not None
    assert again.record == claim.record
    assert ClaimWorktree.open(desk.repo, "task-1-e2") is None


def test_our_commands_run_no_hook_and_the_agents_commands_run_the_users(desk: Desk) -> None:
    claim = desk.claim()
    assert not (desk.repo.path / "hook-ran").exists()
    agent(claim, "echo x > x && git add x && git commit -m x", status=1)
    assert (desk.repo.path / "hook-ran").exists()


def test_needs_that_the_base_lacks_are_merged(desk: Desk) -> None:
    one = desk.commit(desk.base, {"one.txt": "1\n"})
    two = desk.commit(desk.base, {"two.txt": "2\n"})
    claim = desk.claim(needs=(Need("base", desk.base), Need("one", one), Need("two", two)))
    assert (claim.path / "one.txt").exists()
    assert (claim.path / "two.txt").exists()
    assert claim.record.base == desk.base
    assert claim.record.start == git(claim.path, "rev-parse", "HEAD")
    assert git(claim.path, "log", "-1", "--format=%an %s") == (
        "laptop/w1#1 Merge the result of two"
    )


def test_needs_that_conflict_leave_nothing_behind(desk: Desk) -> None:
    one = desk.commit(desk.base, {"README.md": "other\n"})
    two = desk.commit(desk.base, {"README.md": "another\n"})
    before = local_branches(desk.repo), recorded_names(desk.repo)
    with pytest.raises(NeedConflict) as caught:
        desk.claim(needs=(Need("one", one), Need("two", two)))
    assert caught.value.need == "two"
    assert caught.value.files == ("README.md",)
    assert "README.md" in caught.value.message
    assert (local_branches(desk.repo), recorded_names(desk.repo)) == before
    assert not (desk.directory / "task-1-e1").exists()
    assert "task-1-e1" not in {item.path.name for item in Worktrees(desk.repo).list()}
    desk.claim()  # the name is free again


@pytest.mark.parametrize("task", ["v1.2", "a-e1", "x" * 64, "0_0", "a.b-c_d"])
def test_any_task_id_makes_a_worktree(desk: Desk, task: str) -> None:
    claim = desk.claim(task, epoch=12)
    assert claim.path.name == f"{task}-e12"
    assert git(claim.path, "branch", "--show-current") == f"work/{task}-e12"


def test_an_id_that_is_a_path_is_refused(desk: Desk) -> None:
    """I8: a task's id cannot lead out of the directory."""
    with pytest.raises(InvalidInput):
        desk.claim("../../evil")


def test_worktrees_made_at_the_same_time_do_not_disturb_each_other(desk: Desk) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: desk.claim(f"task-{number}"), range(16)))
    assert len(Worktrees(desk.repo).list()) == 16
    for number in range(16):
        path = desk.directory / f"task-{number}-e1"
        assert git(path, "status", "--porcelain", "--branch") == f"## work/task-{number}-e1"


def test_one_half_made_is_made_again(desk: Desk) -> None:
    """I4: killed between `git worktree add` and the end of the checkout."""
    claim = desk.claim()
    claim.mark(Phase.MAKING)
    (claim.path / "README.md").unlink()
    (claim.path / ".git").unlink()
    again = desk.claim()
    assert (again.path / "README.md").exists()
    assert git(again.path, "status", "--porcelain") == ""


def test_what_is_in_the_way_is_not_overwritten(desk: Desk) -> None:
    """I3: a directory or a branch of that name may hold work."""
    claim = desk.claim()
    (claim.path / "work.txt").write_text("x")
    with pytest.raises(Refused, match="already there"):
        desk.claim()
    assert (claim.path / "work.txt").exists()
    (desk.directory / "task-2-e1").mkdir()
    with pytest.raises(Refused, match="already there"):
        desk.claim("task-2")
    desk.repo.git.run("update-ref", "refs/heads/work/task-3-e1", desk.base)
    desk.repo.git.run("update-ref", "refs/heads/work/task-4-e1", desk.commit(desk.base, {"x": "x"}))
    desk.claim("task-3")  # nothing is on that branch
    with pytest.raises(Refused, match="work on a branch"):
        desk.claim("task-4")
    assert "work/task-4-e1" in local_branches(desk.repo)


def test_submodules_are_fetched(desk: Desk, tmp_path: Path) -> None:
    library = tmp_path / "library"
    git(tmp_path, "init", "--quiet", str(library))
    (library / "lib.txt").write_text("lib\n")
    git(library, "add", "-A")
    git(library, "commit", "--quiet", "-m", "lib")
    maker = desk.claim("with-submodule")
    agent(maker, f"git submodule --quiet add '{library}' lib && git commit -q --no-verify -m s")
    claim = desk.claim(base=Oid(git(maker.path, "rev-parse", "HEAD")))
    assert (claim.path / "lib/lib.txt").read_text() == "lib\n"
    assert claim.record.notes == ()
    library.rename(tmp_path / "away")
    alone = desk.claim("task-2", base=claim.record.base)
    assert len(alone.record.notes) == 1
    assert "submodules" in alone.record.notes[0]


def test_its_place_is_found_after_git_moved_it(desk: Desk, tmp_path: Path) -> None:
    claim = desk.claim()
    agent(claim, f"git worktree unlock . && git worktree move . '{tmp_path}/elsewhere'")
    assert claim.place == tmp_path / "elsewhere"


def test_a_damaged_record_is_named(desk: Desk) -> None:
    claim = desk.claim()
    save_record(desk.repo, claim.record)
    path = desk.repo.path / "claims" / "task-1-e1" / "claim.json"
    path.write_text("{")
    with pytest.raises(Exception, match=r"claim\.json is no record"):
        ClaimWorktree.open(desk.repo, "task-1-e1")


MAKE_ONE = """
import os, pathlib, sys
from gitbaton.git.repository import Clone, CoordinationRepository
from tests.integration.work.desk import Desk, ManualClock
top = pathlib.Path(sys.argv[1])
repo = CoordinationRepository.open(Clone.find(top, os.environ))
desk = Desk(top, repo, ManualClock(), sys.argv[2])
print("go", flush=True)
desk.claim()
print("made", flush=True)
"""


@pytest.mark.parametrize("seed", range(8))
def test_killed_at_any_moment_it_is_made_again(desk: Desk, seed: int) -> None:
    """I4: SIGKILL of the maker, and of the git that it runs, at a random moment."""
    child = subprocess.Popen(
        [sys.executable, "-c", MAKE_ONE, str(desk.top), desk.base],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
    )
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        # Waits for the end or for the moment: whichever is first, both are what is tested.
        select.select([child.stdout], [], [], random.Random(seed).uniform(0, 0.1))
        child.send_signal(signal.SIGSTOP)  # so that it starts no git that we do not see
        for process in psutil.Process(child.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        child.kill()
    if ClaimWorktree.open(desk.repo, "task-1-e1") is not None:
        sweep(desk.repo, desk.directory, alive=lambda owner: False, owner=US)
    claim = ClaimWorktree.open(desk.repo, "task-1-e1") or desk.claim()
    assert claim.record.phase is Phase.WORKING
    assert git(claim.path, "status", "--porcelain", "--branch") == "## work/task-1-e1"
    assert len(Worktrees(desk.repo).list()) == 1


def test_a_reservation_tells_whose_claim_it_is_until_the_worktree_is_made(desk: Desk) -> None:
    """I4: killed before anything is made, the claim is known; nothing is in the way afterwards."""
    reserved = reserve(desk)
    assert reserved is not None
    found: list[ClaimRecord] = []
    sweep(desk.repo, desk.directory, alive=lambda o: False, owner=US, bereaved=found.append)
    assert [(r.task, r.epoch, r.nonce) for r in found] == [("task-1", 1, Nonce("0" * 32))]
    assert recorded_names(desk.repo) == []
    assert reserve(desk) is not None
    assert desk.claim().record.phase is Phase.WORKING


def test_a_reservation_replaces_no_record_and_is_forgotten_only_as_it_was(desk: Desk) -> None:
    reserved = reserve(desk)
    assert reserved is not None
    claim = desk.claim()
    assert reserve(desk) is None
    forget_reservation(desk.repo, reserved)
    assert load_record(desk.repo, "task-1-e1") == claim.record
    other = reserve(desk, "task-2")
    assert other is not None
    forget_reservation(desk.repo, other)
    assert recorded_names(desk.repo) == ["task-1-e1"]


def test_the_dead_are_told_of_before_anything_of_theirs_goes(desk: Desk) -> None:
    """I4: killed while that is told, the next sweep tells of it again."""
    desk.claim("making").mark(Phase.MAKING)
    working = desk.claim("working")

    def killed(record: ClaimRecord) -> None:
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            sweep(desk.repo, desk.directory, alive=lambda o: False, owner=US, bereaved=killed)
    told: list[str] = []
    sweep(
        desk.repo,
        desk.directory,
        alive=lambda o: False,
        owner=US,
        bereaved=lambda record: told.append(record.task),
    )
    assert told == ["making", "working"]
    assert working.path.is_dir()


def test_what_could_not_be_saved_is_taken_up_again_by_the_same_worker(desk: Desk) -> None:
    """I3, I4: a full disk is told, and only what nobody of this worker is at is tried again."""
    worked_on, left = desk.claim("worked-on"), desk.claim("left")

    def full(record: ClaimRecord) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "local.sqlite")

    def look(bereaved: Callable[[ClaimRecord], None]) -> Orphans:
        return sweep(
            desk.repo,
            desk.directory,
            alive=lambda owner: True,
            owner=replace(US, namespace="7"),
            bereaved=bereaved,
            left=lambda name: name == left.record.name,
        )

    assert look(full).damaged == ("local.sqlite: No space left on device",)
    again = look(lambda record: None)
    assert [claim.path for claim in again.adopted] == [left.path]
    assert again.damaged == () and worked_on.path.is_dir()


@pytest.mark.parametrize("content", [b"", bytes(512)])
def test_a_reservation_that_a_power_cut_emptied_is_none(desk: Desk, content: bytes) -> None:
    """I4: unless there is a worktree: then it is told, with what to do."""
    made = desk.claim("made")
    assert reserve(desk) is not None
    for name in ("task-1-e1", made.record.name):
        (desk.repo.path / "claims" / name / "claim.json").write_bytes(content)
    with pytest.raises(DamagedRecord) as damaged:
        load_record(desk.repo, "task-1-e1")
    assert "rm -r '" in str(damaged.value.next)
    found = sweep(desk.repo, desk.directory, alive=lambda owner: False, owner=US)
    assert len(found.damaged) == 1 and "made-e1" in found.damaged[0]
    assert recorded_names(desk.repo) == ["made-e1"]


def reserve(desk: Desk, task: str = "task-1") -> ClaimRecord | None:
    return ClaimWorktree.reserve(
        desk.repo, desk.directory, task=task, epoch=1, nonce=Nonce("0" * 32), owner=US
    )


def test_the_comparison_of_clones_can_fail(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    for words in (("tag", "t"), ("config", "a.b", "c"), ("stash", "drop"), ("add", "mine.txt")):
        with pytest.raises(AssertionError, match="clone changed"), unchanged(desk.top):
            git(desk.top, *words)
    desk.repo.close()
