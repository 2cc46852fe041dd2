"""I3: whatever an agent leaves behind, in whatever state, becomes a commit or is named."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from gitbaton.core.ids import Oid
from gitbaton.git.history import contains
from gitbaton.work.tips import all_tips, find_head, read_refs
from tests.integration.work.desk import AGENT, Desk, agent, git

COMMIT = "git -c core.hooksPath=/dev/null commit -q"


def must(oid: Oid | None) -> Oid:
    assert oid is not None
    return oid


def test_nothing_was_done(desk: Desk) -> None:
    left = desk.save(desk.claim())
    assert (left.result, left.made, left.others) == (None, None, ())
    assert (left.unfinished, left.rewritten, left.gone, left.unsaved) == (None, False, False, ())


def test_every_kind_of_change_is_committed(desk: Desk) -> None:
    claim = desk.claim()
    agent(
        claim,
        """
        echo four >> README.md; git rm -q docs/page.md; chmod +x tool.sh
        echo staged > staged.txt; git add staged.txt
        echo new > 'with space.txt'; ln -s nowhere link; mkdir -p deep/er; echo d > deep/er/f
        echo secret > .env; mkdir __pycache__; echo p > __pycache__/x.pyc
        echo kept > forced.log; git add -f forced.log
        """,
    )
    left = desk.save(claim)
    assert left.result == left.made
    made = must(left.made)
    assert desk.files(made) == {
        *(b".gitignore", b"README.md", b"tool.sh", b"staged.txt", b"with space.txt"),
        *(b"link", b"deep/er/f", b"forced.log"),
    }
    assert desk.show(made, "README.md").endswith("four")
    modes = desk.repo.git.run("ls-tree", made, "link", "tool.sh").text
    assert "120000 blob" in modes
    assert "100755 blob" in modes
    assert git(claim.path, "status", "--porcelain") == ""
    assert git(claim.path, "rev-parse", "work/task-1-e1") == made
    assert left.others == ()


def test_the_commit_says_who_and_for_what(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, "echo x > x")
    made = must(desk.save(claim).made)
    assert desk.log("-1", "--format=%an <%ae>%n%cn%n%ad%n%B", "--date=unix", made) == [
        f"{AGENT.name} <{AGENT.email}>",
        AGENT.name,
        str(int(desk.clock.now().timestamp())),
        *("Work of the agent", "", "Baton-Task: task-1", "Baton-Epoch: 1"),
    ]
    trailers = desk.log("-1", "--format=%(trailers:key=Baton-Epoch,valueonly)", made)
    assert trailers[0] == "1"


def test_saving_again_commits_nothing_more(desk: Desk) -> None:
    """I4: saving may be repeated after a crash."""
    claim = desk.claim()
    agent(claim, "echo x > x")
    first, second = desk.save(claim), desk.save(claim)
    assert (second.result, second.made) == (first.result, None)


def test_commits_of_the_agent_are_the_result(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, f"echo x > x; git add x; {COMMIT} -m one; echo y > y")
    left = desk.save(claim)
    assert desk.log("--format=%s", f"{desk.base}..{left.result}") == ["Work of the agent", "one"]


def test_names_that_are_not_utf8_survive(desk: Desk) -> None:
    claim = desk.claim()
    names = [b"caf\xe9.txt", b"new\nline", b"-rf", b"*", b"a\\b", "ünï".encode()]
    for name in names:
        Path(os.fsdecode(os.fsencode(claim.path) + b"/" + name)).write_bytes(name)
    left = desk.save(claim)
    assert set(names) <= desk.files(must(left.result))
    assert left.unsaved == ()


def test_three_thousand_files(desk: Desk) -> None:
    claim = desk.claim()
    for number in range(3000):
        path = claim.path / f"d{number % 30}" / f"file {number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(str(number))
    left = desk.save(claim)
    assert len(desk.files(must(left.result))) == 3004
    assert left.unsaved == ()


def test_a_large_file(desk: Desk) -> None:
    claim = desk.claim()
    with (claim.path / "large.bin").open("wb") as file:
        file.truncate(600 * 1024 * 1024)
    size = desk.repo.git.run("cat-file", "-s", f"{desk.save(claim).result}:large.bin").text
    assert size == str(600 * 1024 * 1024)


def test_a_file_becomes_a_directory_and_a_directory_a_link(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, "rm tool.sh; mkdir tool.sh; echo x > tool.sh/x; rm -r docs; ln -s /etc docs")
    left = desk.save(claim)
    assert {b"tool.sh/x", b"docs"} <= desk.files(must(left.result))
    assert desk.show(must(left.result), "docs") == "/etc"


@pytest.mark.parametrize("damage", ["lock", "garbage", "missing", "head-lock", "branch-lock"])
def test_a_broken_or_locked_index_does_not_matter(desk: Desk, damage: str) -> None:
    claim = desk.claim()
    agent(claim, "echo x > x; git add x; echo y > y; rm docs/page.md")
    admin = Path(claim.record.admin)
    match damage:
        case "lock":
            (admin / "index.lock").touch()
        case "garbage":
            (admin / "index").write_bytes(b"DIRC garbage")
        case "missing":
            (admin / "index").unlink()
        case "head-lock":
            (admin / "HEAD.lock").touch()
        case "branch-lock":
            (desk.repo.path / "refs/heads/work/task-1-e1.lock").touch()
    left = desk.save(claim)
    files = desk.files(must(left.result))
    assert {b"x", b"y"} <= files
    assert b"docs/page.md" not in files
    assert git(claim.path, "rev-parse", "work/task-1-e1") == left.result
    assert git(claim.path, "status", "--porcelain") == ""


def test_flags_that_hide_changes_from_git_do_not_hide_them_from_us(desk: Desk) -> None:
    claim = desk.claim()
    agent(
        claim,
        "git update-index --assume-unchanged README.md; git update-index --skip-worktree tool.sh;"
        "echo changed > README.md; echo changed > tool.sh",
    )
    result = must(desk.save(claim).result)
    assert desk.show(result, "README.md") == desk.show(result, "tool.sh") == "changed"


def test_a_sparse_checkout_deletes_nothing(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, "git sparse-checkout set --no-cone /README.md; echo x > x")
    assert not (claim.path / "docs").exists()
    assert b"docs/page.md" in desk.files(must(desk.save(claim).result))


def test_a_filter_that_fails_does_not_cost_the_content(desk: Desk) -> None:
    claim = desk.claim()
    agent(
        claim,
        "git config filter.lfs.clean 'exit 1'; git config filter.lfs.required true;"
        "echo '*.bin filter=lfs' > .gitattributes; echo precious > a.bin; echo y > y",
    )
    left = desk.save(claim)
    assert desk.show(must(left.result), "a.bin") == "precious"
    assert left.unsaved == ()
    assert b"y" in desk.files(must(left.result))


def test_detached_head(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, f"git checkout -q --detach; echo x > x; git add x; {COMMIT} -m one; echo y > y")
    left = desk.save(claim)
    assert {b"x", b"y"} <= desk.files(must(left.result))
    assert not left.rewritten


def test_another_branch_checked_out(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, f"git checkout -q -b mine; echo x > x; git add x; {COMMIT} -m one; echo y > y")
    left = desk.save(claim)
    assert {b"x", b"y"} <= desk.files(must(left.result))


def test_another_branch_made_and_left(desk: Desk) -> None:
    """The agent committed elsewhere and came back: its only work is the result."""
    claim = desk.claim()
    agent(
        claim,
        f"git checkout -q -b mine; echo x > x; git add x; {COMMIT} -m one;"
        "git checkout -q work/task-1-e1",
    )
    left = desk.save(claim)
    assert left.result == git(claim.path, "rev-parse", "mine")


def test_two_other_branches_are_no_result_but_both_are_reported(desk: Desk) -> None:
    claim = desk.claim()
    for name in ("one", "two"):
        agent(
            claim,
            f"git checkout -q -b {name}; echo {name} > {name}; git add .; {COMMIT} -m {name};"
            "git checkout -q work/task-1-e1",
        )
    left = desk.save(claim)
    assert left.result is None
    assert {tip.what for tip in left.others} == {"branch one", "branch two"}


def test_work_on_two_branches_reports_the_one_that_is_not_the_result(desk: Desk) -> None:
    claim = desk.claim()
    agent(
        claim,
        f"git checkout -q -b mine; echo x > x; git add x; {COMMIT} -m x;"
        f"git checkout -q work/task-1-e1; echo y > y; git add y; {COMMIT} -m y",
    )
    left = desk.save(claim)
    assert left.result == git(claim.path, "rev-parse", "HEAD")
    assert [tip.what for tip in left.others] == ["branch mine"]


def test_branches_of_other_claims_are_not_taken_for_ours(desk: Desk) -> None:
    other, claim = desk.claim("task-2"), desk.claim()
    agent(other, f"git checkout -q -b theirs; echo t > t; git add t; {COMMIT} -m t; git stash -q")
    agent(other, f"git checkout -q work/task-2-e1; echo u > u; git add u; {COMMIT} -m u")
    agent(other, "echo v > README.md; git stash -q")
    left = desk.save(claim)
    assert (left.result, left.others) == (None, ())
    assert {tip.what for tip in all_tips(claim, find_head(claim), read_refs(claim))} == {"HEAD"}


@pytest.mark.parametrize("how", ["amend the base", "orphan", "reset"])
def test_rewritten_history_is_reported(desk: Desk, how: str) -> None:
    second = desk.commit(desk.base, {"second.txt": "2\n"})
    claim = desk.claim(base=second)
    script = {
        "amend the base": f"echo x > x; git add x; {COMMIT} --amend -m rewritten",
        "orphan": "git checkout -q --orphan fresh; echo x > x",
        "reset": f"git reset -q --hard HEAD~1; echo x > x; git add x; {COMMIT} -m x",
    }[how]
    agent(claim, script)
    left = desk.save(claim)
    assert left.rewritten
    assert not contains(desk.repo, must(left.result), second)
    assert b"x" in desk.files(must(left.result))


def test_an_agent_that_only_goes_back_has_no_result(desk: Desk) -> None:
    claim = desk.claim(base=desk.commit(desk.base, {"second.txt": "2\n"}))
    agent(claim, "git reset -q --hard HEAD~1")
    left = desk.save(claim)
    assert (left.result, left.made, left.others) == (None, None, ())


CONFLICT = f"""
    git checkout -q -b side; echo side > README.md; {COMMIT} -am side
    git checkout -q work/task-1-e1; echo main > README.md; {COMMIT} -am main
"""


@pytest.mark.parametrize("operation", ["merge", "cherry-pick", "rebase"])
def test_an_operation_left_half_done_is_saved_as_it_is(desk: Desk, operation: str) -> None:
    claim = desk.claim()
    agent(claim, CONFLICT)
    tip = git(claim.path, "rev-parse", "HEAD")
    side = git(claim.path, "rev-parse", "side")
    agent(claim, f"git {operation} side || true; echo new > new.txt")
    left = desk.save(claim)
    assert left.unfinished == operation
    assert left.result is None
    made = must(left.made)
    assert "<<<<<<<" in desk.show(made, "README.md")
    assert desk.show(made, "new.txt") == "new"
    saved = {tip.oid for tip in left.others}
    assert made in saved
    for commit in (tip, side):
        assert any(contains(desk.repo, oid, Oid(commit)) for oid in saved)
    assert git(claim.path, "rev-parse", "work/task-1-e1") == tip  # nothing lands by accident
    assert desk.save(claim).made == made


def test_unmerged_paths_without_an_operation(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, CONFLICT + "git merge side || true; rm $(git rev-parse --git-dir)/MERGE_HEAD")
    left = desk.save(claim)
    assert (left.unfinished, left.result) == ("unmerged", None)
    assert "<<<<<<<" in desk.show(must(left.made), "README.md")


def test_a_stash_is_found(desk: Desk) -> None:
    before = desk.claim("task-0")
    agent(before, "echo old > README.md; git stash -q")
    claim = desk.claim()
    agent(claim, "echo one > README.md; git stash -q; echo two > README.md; git stash -q -u")
    left = desk.save(claim)
    stashes = [tip.oid for tip in left.others if tip.what == "stash"]
    assert [desk.show(oid, "README.md") for oid in stashes] == ["two", "one"]


def test_what_was_staged_and_then_deleted_is_kept(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, "echo precious > p; git add p; rm p; echo x > x; git add x")
    left = desk.save(claim)
    assert b"p" not in desk.files(must(left.result))
    (tip,) = left.others
    assert desk.show(tip.oid, "p") == "precious"


def test_staging_a_part_is_nothing_special(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, "echo a > a; echo b > b; git add a; echo c >> README.md")
    assert desk.save(claim).others == ()


def test_the_worktree_was_deleted(desk: Desk) -> None:
    claim = desk.claim()
    agent(
        claim, f"echo x > x; git add x; {COMMIT} -m x; echo p > p; git add p; rm -rf ../task-1-e1"
    )
    left = desk.save(claim)
    assert left.gone
    assert desk.files(must(left.result)) >= {b"x", b"docs/page.md"}
    (tip,) = left.others  # what was staged outlives the files
    assert desk.show(tip.oid, "p") == "p"


def test_the_git_file_was_deleted(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, f"echo x > x; git add x; {COMMIT} -m x; echo y > y; rm .git")
    assert {b"x", b"y"} <= desk.files(must(desk.save(claim).result))


def test_git_s_own_directory_was_deleted(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, f"echo x > x; git add x; {COMMIT} -m x; echo y > y")
    shutil.rmtree(claim.record.admin)
    left = desk.save(claim)
    assert {b"x", b"y"} <= desk.files(must(left.result))
    assert desk.repo.git.run("rev-parse", "refs/heads/work/task-1-e1").text == left.result


def test_the_worktree_was_moved(desk: Desk, tmp_path: Path) -> None:
    claim = desk.claim()
    agent(claim, f"echo y > y; git worktree unlock . && git worktree move . '{tmp_path}/there'")
    left = desk.save(claim)
    assert b"y" in desk.files(must(left.result))


def test_a_repository_inside_is_named_and_not_committed(desk: Desk) -> None:
    claim = desk.claim()
    agent(
        claim,
        f"git init -q a/empty; git init -q full; cd full; echo z > z; git add z; {COMMIT} -m z",
    )
    agent(claim, "echo x > x")
    left = desk.save(claim)
    assert left.nested == ("a/empty/", "full/")
    assert desk.files(must(left.result)) == desk.files(desk.base) | {b"x"}


def test_a_new_submodule_is_committed(desk: Desk, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "library")
    git(tmp_path / "library", "commit", "--quiet", "--allow-empty", "-m", "lib")
    claim = desk.claim()
    agent(claim, f"git submodule --quiet add '{tmp_path}/library' lib")
    left = desk.save(claim)
    assert "160000 commit" in desk.repo.git.run("ls-tree", must(left.result), "lib").text
    assert left.nested == ()


def test_a_file_that_cannot_be_saved_is_named_and_the_others_are_saved(desk: Desk) -> None:
    claim = desk.claim()
    agent(claim, "echo x > x; rm tool.sh; mkfifo tool.sh; echo y >> README.md")
    left = desk.save(claim)
    assert left.unsaved == ("tool.sh",)
    assert desk.show(must(left.result), "README.md").endswith("y")
    assert b"x" in desk.files(must(left.result))
