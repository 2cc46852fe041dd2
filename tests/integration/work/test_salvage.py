"""I3: a worktree goes only when everything in it is somewhere else."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitbaton.core.errors import Refused
from gitbaton.core.ids import Oid
from gitbaton.core.process import Process, find_process, is_alive
from gitbaton.git.history import contains
from gitbaton.git.worktrees import Worktrees
from gitbaton.work.orphans import sweep
from gitbaton.work.record import Phase, recorded_names
from gitbaton.work.salvage import (
    Holdings,
    assess,
    keep_reasons,
    removable,
    removal_reasons,
    remove,
    rescue_commit,
)
from gitbaton.work.tips import Tip
from gitbaton.work.worktree import ClaimWorktree, local_branches
from tests.integration.work.desk import AGENT, THROW_AWAY, US, Desk, agent, git

COMMIT = "git -c core.hooksPath=/dev/null commit -q"


def held(desk: Desk, claim: ClaimWorktree, *published: Oid) -> Holdings:
    return assess(claim, {desk.base, *published}, THROW_AWAY)


def rescue(desk: Desk, claim: ClaimWorktree, *published: Oid) -> Oid:
    oid = rescue_commit(
        claim, held(desk, claim, *published), reason="test", actor=AGENT, clock=desk.clock
    )
    assert oid is not None
    return oid


def test_a_fresh_one_may_go_and_leaves_nothing(desk: Desk) -> None:
    claim = desk.claim()
    assert held(desk, claim) == Holdings()
    remove(claim, {desk.base}, THROW_AWAY)
    assert not claim.path.exists()
    assert Worktrees(desk.repo).list() == []
    assert local_branches(desk.repo) == {}
    assert recorded_names(desk.repo) == []
    assert desk.repo.git.run("for-each-ref", "refs/claims").text == ""


def test_a_commit_that_is_not_published_is_kept(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, f"echo x > x; git add x; {COMMIT} -m x")
    holdings = held(desk, claim)
    assert [tip.what for tip in holdings.commits] == ["HEAD"]
    with pytest.raises(Refused, match="not published"):
        remove(claim, {desk.base}, THROW_AWAY)
    assert (claim.path / "x").exists()
    remove(claim, {desk.base, holdings.commits[0].oid}, THROW_AWAY)
    assert not claim.path.exists()


@pytest.mark.parametrize(
    "change",
    ["echo x > x", "rm tool.sh", "chmod +x tool.sh", "echo x >> README.md", "git rm -q tool.sh"],
)
def test_a_change_that_is_not_committed_is_kept(desk: Desk, change: str) -> None:
    claim = desk.claim()
    agent(claim, change)
    assert held(desk, claim).dirty
    with pytest.raises(Refused, match="not committed"):
        remove(claim, {desk.base}, THROW_AWAY)
    remove(claim, {desk.base, rescue(desk, claim)}, THROW_AWAY)
    assert not claim.path.exists()


def test_something_written_after_the_assessment_is_seen_by_the_removal(desk: Desk) -> None:
    claim = desk.claim()
    assert removable(held(desk, claim))
    agent(claim, "echo late > late")
    with pytest.raises(Refused):
        remove(claim, {desk.base}, THROW_AWAY)


def test_one_rescue_holds_every_tip_and_every_change(desk: Desk) -> None:
    claim = desk.claim()
    agent(
        claim,
        f"""
        git checkout -q -b one; echo 1 > one; git add .; {COMMIT} -m one
        git checkout -q --detach work/task-1-e1; echo 2 > two; git add .; {COMMIT} -m two
        echo stashed > README.md; git stash -q
        echo staged > staged; git add staged; rm staged; echo dirty > dirty
        """,
    )
    tips = [Oid(git(claim.path, "rev-parse", name)) for name in ("one", "HEAD", "refs/stash")]
    oid = rescue(desk, claim)
    assert all(contains(desk.repo, oid, tip) for tip in tips)
    assert desk.show(oid, "dirty") == "dirty"
    staged = desk.log(
        "--full-history", "--no-merges", "--format=%H", f"{desk.base}..{oid}", "--", "staged"
    )
    assert desk.show(staged[0], "staged") == "staged"
    assert desk.repo.kept() == {f"rescue/task-1/1-{oid}": oid}
    assert "Baton-Task: task-1" in desk.log("-1", "--format=%B", oid)
    assert held(desk, claim, oid) == Holdings()
    remove(claim, {desk.base, oid}, THROW_AWAY)
    assert local_branches(desk.repo) == {}


def test_a_single_tip_stands_for_itself(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, "echo x > x")
    made = desk.save(claim).made
    assert rescue(desk, claim) == made
    assert rescue_commit(claim, Holdings(), reason="nothing", actor=AGENT, clock=desk.clock) is None


def test_an_unfinished_merge_can_be_rescued_and_removed(desk: Desk) -> None:
    claim = desk.claim()
    agent(
        claim,
        f"""
        git checkout -q -b side; echo side > README.md; {COMMIT} -am side
        git checkout -q work/task-1-e1; echo main > README.md; {COMMIT} -am main
        git merge side || true
        """,
    )
    desk.save(claim)
    oid = rescue(desk, claim)
    assert "<<<<<<<" in desk.show(oid, "README.md")
    remove(claim, {desk.base, oid}, THROW_AWAY)


def test_ignored_files_are_kept_but_for_what_may_be_thrown_away(desk: Desk) -> None:
    claim = desk.claim()
    agent(
        claim,
        "mkdir -p node_modules/p src/__pycache__ out; echo j > node_modules/p/i.js;"
        "echo c > src/__pycache__/x.pyc; echo KEY=1 > .env; echo l > out/run.log",
    )
    holdings = held(desk, claim)
    assert holdings == Holdings(ignored=(".env", "out/run.log"))
    assert keep_reasons(holdings) == ["ignored files: .env, out/run.log"]
    with pytest.raises(Refused, match=r"\.env"):
        remove(claim, {desk.base}, THROW_AWAY)
    assert (claim.path / ".env").read_text() == "KEY=1\n"


def test_an_ignored_name_with_strange_bytes(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, r"touch $'caf\xe9 \n.log'")
    assert len(held(desk, claim).ignored) == 1


def test_repositories_inside_are_kept(desk: Desk) -> None:
    claim = desk.claim()
    agent(
        claim,
        f"""
        git init -q vendor/lib; cd vendor/lib; echo v > v; git add v; {COMMIT} -m v; cd ../..
        git init -q fresh; git init -q node_modules/thrown
        """,
    )
    holdings = held(desk, claim)
    assert holdings.nested == ("fresh/", "vendor/lib/")
    with pytest.raises(Refused, match="repositories inside"):
        remove(claim, {desk.base}, THROW_AWAY)


def test_a_repository_in_place_of_ours_is_kept(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, f"rm .git; git init -q; git add -A; {COMMIT} -m theirs")
    assert held(desk, claim).nested == ("./",)


def with_submodule(desk: Desk, tmp_path: Path) -> ClaimWorktree:
    git(tmp_path, "init", "--quiet", "library")
    (tmp_path / "library/lib.txt").write_text("lib\n")
    git(tmp_path / "library", "add", "-A")
    git(tmp_path / "library", "commit", "--quiet", "-m", "lib")
    maker = desk.claim("maker")
    agent(maker, f"git submodule --quiet add '{tmp_path}/library' lib; {COMMIT} -m s")
    return desk.claim(base=Oid(git(maker.path, "rev-parse", "HEAD")))


@pytest.mark.parametrize(
    "work",
    [
        f"cd lib; echo x > x; git add x; {COMMIT} -m x",
        f"cd lib; git checkout -q -b b; {COMMIT} --allow-empty -m x; git checkout -q --detach @~",
        "cd lib; echo x >> lib.txt",
        "cd lib; echo x > untracked",
        "cd lib; echo '*.log' > $(git rev-parse --git-dir)/info/exclude; echo s > ignored.log",
        "cd lib; echo x >> lib.txt; git stash -q",
    ],
)
def test_submodules_with_work_of_their_own_are_kept(desk: Desk, tmp_path: Path, work: str) -> None:
    claim = with_submodule(desk, tmp_path)
    start = claim.record.start
    assert removable(held(desk, claim, start))
    agent(claim, work)
    desk.save(claim)
    assert held(desk, claim, start).submodules == ("lib",)


def test_one_with_submodules_can_be_removed(desk: Desk, tmp_path: Path) -> None:
    claim = with_submodule(desk, tmp_path)
    remove(claim, {claim.record.start}, THROW_AWAY)
    assert not Path(claim.record.admin).exists()


def test_a_moved_one_is_kept(desk: Desk, tmp_path: Path) -> None:
    claim = desk.claim()
    agent(claim, f"git worktree unlock .; git worktree move . '{tmp_path}/there'")
    assert held(desk, claim).moved == tmp_path / "there"
    with pytest.raises(Refused, match="moved"):
        remove(claim, {desk.base}, THROW_AWAY)
    assert (tmp_path / "there/README.md").exists()


def test_a_link_in_its_place_is_kept(desk: Desk, tmp_path: Path) -> None:
    claim = desk.claim()
    agent(claim, f"mv '{claim.path}' '{tmp_path}/there'; ln -s '{tmp_path}/there' '{claim.path}'")
    agent(claim, "echo x > x")
    assert held(desk, claim).moved == claim.path
    assert held(desk, claim).dirty


def test_one_that_the_agent_deleted(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, f"echo x > x; git add x; {COMMIT} -m x; rm -rf ../task-1-e1")
    (tip,) = held(desk, claim).commits
    with pytest.raises(Refused):
        remove(claim, {desk.base}, THROW_AWAY)
    remove(claim, {desk.base, tip.oid}, THROW_AWAY)
    assert Worktrees(desk.repo).list() == []


def test_read_only_directories_can_be_removed(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, "mkdir -p node_modules/a/b; touch node_modules/a/b/c; chmod -R a-w node_modules")
    remove(claim, {desk.base}, THROW_AWAY)
    assert not claim.path.exists()


def test_the_branch_of_an_agent_goes_with_it_but_not_one_that_was_there(desk: Desk) -> None:
    desk.repo.git.run("update-ref", "refs/heads/old", desk.base)
    other, claim = desk.claim("task-2"), desk.claim()
    agent(other, f"git checkout -q -b theirs; {COMMIT} --allow-empty -m t")
    agent(claim, f"git checkout -q -b mine; {COMMIT} --allow-empty -m m; git checkout -q old")
    mine = Oid(git(claim.path, "rev-parse", "mine"))
    remove(claim, {desk.base, mine}, THROW_AWAY)
    assert set(local_branches(desk.repo)) == {"old", "theirs", "work/task-2-e1"}


def test_a_published_commit_that_is_not_here_does_not_count(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, f"echo x > x; git add x; {COMMIT} -m x")
    assert held(desk, claim, Oid("ab" * 20)).commits


def test_reasons_name_a_few_paths_and_count_the_others() -> None:
    holdings = Holdings(
        commits=(Tip(Oid("ab" * 20), "HEAD"),), ignored=tuple(f"f{n}.log" for n in range(9))
    )
    assert removal_reasons(holdings) == [
        "commits that are not published: ababababab (HEAD)",
        "ignored files: f0.log, f1.log, f2.log, f3.log, f4.log and 4 more",
    ]
    assert not removable(holdings)
    assert removable(Holdings())


def this_boot(owner: Process) -> bool:
    return is_alive(owner, origin="boot")


@contextlib.contextmanager
def some_process() -> Iterator[Process]:
    """Give a process that lives as long as the block."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        found = find_process(child.pid, origin="boot")
        assert found is not None
        yield found
        child.kill()


def test_a_sweep_takes_over_what_dead_processes_left(desk: Desk) -> None:
    """I4: whoever comes next finds it, with everything in it."""
    with some_process() as owner:
        dead = desk.claim("dead", owner=owner)
        agent(dead, "echo x > x")
        (desk.directory / "strange").mkdir()
        assert sweep(desk.repo, desk.directory, alive=this_boot, owner=US).adopted == ()
    with some_process() as other:
        desk.claim("living", owner=other)
        found = sweep(desk.repo, desk.directory, alive=this_boot, owner=other)
        assert [claim.record.name for claim in found.adopted] == ["dead-e1"]
        assert found.adopted[0].record.owner == other
        assert (dead.path / "x").exists()
        assert found.strange == (desk.directory / "strange",)
        # Its owner lives now: nobody else takes it over again.
        assert sweep(desk.repo, desk.directory, alive=this_boot, owner=US).adopted == ()


def test_a_process_number_that_was_used_again_is_not_the_owner(desk: Desk) -> None:
    with some_process() as owner:
        desk.claim("one", owner=dataclasses.replace(owner, start=owner.start + "0"))
        desk.claim("two", owner=dataclasses.replace(owner, origin="another boot"))
        desk.claim("three", owner=owner)
        found = sweep(desk.repo, desk.directory, alive=this_boot, owner=US)
    assert [claim.record.task for claim in found.adopted] == ["one", "two"]


def test_a_sweep_finishes_what_was_half_made_or_half_removed(desk: Desk) -> None:
    """I4: killed while making or removing one."""
    making, removing = desk.claim("making"), desk.claim("removing")
    agent(removing, f"echo x > x; git add x; {COMMIT} -m published")
    making.mark(Phase.MAKING)
    removing.mark(Phase.REMOVING)
    (removing.path / "README.md").unlink()
    found = sweep(desk.repo, desk.directory, alive=lambda o: False, owner=US)
    assert found.adopted == ()
    assert list(desk.directory.iterdir()) == []
    assert recorded_names(desk.repo) == []
    assert local_branches(desk.repo) == {}


def test_a_sweep_names_a_damaged_record_and_touches_nothing(desk: Desk) -> None:
    claim = desk.claim()
    (desk.repo.path / "claims/task-1-e1/claim.json").write_text("[]")
    found = sweep(desk.repo, desk.directory, alive=lambda o: False, owner=US)
    assert len(found.damaged) == 1
    assert (claim.path / "README.md").exists()
    assert found.strange == ()


def test_a_sweep_erases_scratch_worktrees_of_killed_processes(desk: Desk) -> None:
    worktrees = Worktrees(desk.repo)
    with worktrees.scratch(desk.base) as git_there:
        assert worktrees.sweep_scratch() == 0  # in use
        assert (git_there.directory / "README.md").exists()
    path = desk.repo.path / "scratch" / "dead"
    worktrees.add(path, desk.base, branch=None)
    path.with_suffix(".lock").touch()
    assert worktrees.sweep_scratch() == 1
    assert worktrees.list() == []
    assert not path.exists()
