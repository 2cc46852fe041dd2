"""Bringing a result onto a target that has moved, with every commit attributed."""

from __future__ import annotations

import pytest

from gitbaton.core.ids import Oid
from gitbaton.git.history import commits_between, contains
from gitbaton.git.worktrees import Worktrees
from gitbaton.store.model import Actor
from gitbaton.work.attribution import Attribution
from gitbaton.work.integrate import How, Integrated, IntegrationConflict, integrate
from tests.integration.work.desk import Desk, agent, git

COMMIT = "git -c core.hooksPath=/dev/null commit -q"
WORKER = Actor("worker", "worker@laptop.invalid")


def land(desk: Desk, result: Oid, target: Oid, how: How = "rebase") -> Integrated:
    done = integrate(
        desk.repo,
        result=result,
        target=target,
        how=how,
        attribution=Attribution("task-1", 1),
        title="Land task-1: do it",
        actor=WORKER,
        clock=desk.clock,
    )
    assert contains(desk.repo, done.commit, target)
    assert set(done.commits) == set(commits_between(desk.repo, target, done.commit))
    left = [item.path.name for item in Worktrees(desk.repo).list() if "scratch" in str(item.path)]
    assert left == []
    return done


def work(desk: Desk, script: str) -> Oid:
    """Return what an agent made by ``script`` on the base."""
    claim = desk.claim()
    agent(claim, script)
    return Oid(git(claim.path, "rev-parse", "HEAD"))


ONE = f"echo x > x; git add x; {COMMIT} -m one --author='An Agent <a@b>' --date='@1000 +0200'"
TWO = f"echo y > y; git add y; {COMMIT} -m two"


def messages(desk: Desk, old: Oid, new: Oid) -> list[str]:
    shown = desk.repo.git.run("log", "--reverse", "--format=%B%x00", f"{old}..{new}").text
    return [part.strip() for part in shown.split("\0")[:-1]]


@pytest.mark.parametrize("how", ["rebase", "merge"])
def test_a_result_that_is_attributed_is_fast_forwarded(desk: Desk, how: How) -> None:
    claim = desk.claim()
    agent(claim, "echo x > x")
    result = desk.save(claim).result
    assert result is not None
    assert land(desk, result, desk.base, how) == Integrated(result, "fast-forward", (result,))


@pytest.mark.parametrize("how", ["rebase", "merge"])
def test_what_the_target_has_already_changes_nothing(desk: Desk, how: How) -> None:
    result = work(desk, ONE)
    target = desk.commit(result, {"more.txt": "more\n"})
    assert land(desk, result, target, how) == Integrated(target, "contained", ())


def test_commits_without_trailers_get_them_even_without_divergence(desk: Desk) -> None:
    result = work(desk, f"{ONE}; {TWO}")
    done = land(desk, result, desk.base)
    assert done.way == "rebase"
    assert messages(desk, desk.base, done.commit) == [
        "one\n\nBaton-Task: task-1\nBaton-Epoch: 1",
        "two\n\nBaton-Task: task-1\nBaton-Epoch: 1",
    ]
    assert desk.repo.git.run("diff", result, done.commit).text == ""


def test_rebase_keeps_authors_and_adds_the_committer(desk: Desk) -> None:
    result = work(desk, f"{ONE}; {TWO}")
    target = desk.commit(desk.base, {"README.md": "moved on\n"})
    done = land(desk, result, target)
    assert done.way == "rebase"
    assert len(done.commits) == 2
    first = desk.log("-1", "--format=%an <%ae> %ad|%cn <%ce> %s", "--date=raw", done.commits[0])
    assert first == ["An Agent <a@b> 1000 +0200|worker <worker@laptop.invalid> one"]
    assert desk.files(done.commit) >= {b"x", b"y"}
    assert desk.show(done.commit, "README.md") == "moved on"
    assert desk.log("--merges", "--format=%s", f"{target}..{done.commit}") == [""]


def test_merge_makes_one_commit_with_trailers(desk: Desk) -> None:
    result = work(desk, f"{ONE}; {TWO}")
    target = desk.commit(desk.base, {"README.md": "moved on\n"})
    done = land(desk, result, target, "merge")
    assert done.way == "merge"
    parents = desk.log("-1", "--format=%P%n%an%n%cn%n%B", done.commit)
    assert parents[:3] == [f"{target} {result}", "worker", "worker"]
    assert parents[3:] == ["Land task-1: do it", "", "Baton-Task: task-1", "Baton-Epoch: 1"]
    assert contains(desk.repo, done.commit, result)  # the agent's own commits are left alone


def test_merge_without_divergence_is_a_merge_that_carries_the_trailers(desk: Desk) -> None:
    result = work(desk, ONE)
    done = land(desk, result, desk.base, "merge")
    assert done.way == "merge"
    assert desk.repo.git.run("diff", result, done.commit).text == ""


def test_a_result_with_merges_is_merged_even_when_rebase_was_asked(desk: Desk) -> None:
    """To flatten it would lose how the agent resolved the conflict."""
    moved = desk.commit(desk.base, {"README.md": "theirs\n"})
    result = work(
        desk,
        f"echo ours > README.md; {COMMIT} -am ours; git merge -q {moved} || true;"
        f"echo resolved > README.md; git add README.md; {COMMIT} -m resolved",
    )
    target = desk.commit(moved, {"later.txt": "later\n"})
    done = land(desk, result, target)
    assert done.way == "merge"
    assert desk.show(done.commit, "README.md") == "resolved"


@pytest.mark.parametrize("how", ["rebase", "merge"])
def test_a_conflict_names_the_files(desk: Desk, how: How) -> None:
    result = work(desk, f"{ONE}; echo ours > README.md; rm tool.sh; {COMMIT} -am clash")
    target = desk.commit(desk.base, {"README.md": "theirs\n", "tool.sh": "changed\n"})
    with pytest.raises(IntegrationConflict) as caught:
        land(desk, result, target, how)
    assert caught.value.files == ("README.md", "tool.sh")
    assert caught.value.commit == result
    assert "README.md" in caught.value.message
    assert [i for i in Worktrees(desk.repo).list() if "scratch" in str(i.path)] == []


def test_a_history_without_a_common_ancestor_is_a_conflict_to_merge(desk: Desk) -> None:
    result = work(desk, f"git checkout -q --orphan fresh; {COMMIT} -m fresh")
    with pytest.raises(IntegrationConflict, match="unrelated"):
        land(desk, result, desk.base, "merge")


def test_changes_that_the_target_has_in_other_commits_are_left_out(desk: Desk) -> None:
    result = work(desk, f"{ONE}; {TWO}")
    target = desk.commit(desk.base, {"x": "x\n", "z": "z\n"})
    done = land(desk, result, target)
    assert [m.partition("\n")[0] for m in messages(desk, target, done.commit)] == ["two"]
    alone = land(desk, Oid(f"{git(desk.directory / 'task-1-e1', 'rev-parse', 'HEAD~1')}"), target)
    assert alone == Integrated(target, "contained", ())


def test_a_commit_that_was_meant_to_be_empty_stays(desk: Desk) -> None:
    result = work(desk, f"{COMMIT} --allow-empty -m note; {ONE}")
    target = desk.commit(desk.base, {"z": "z\n"})
    assert len(land(desk, result, target).commits) == 2


def test_filters_do_not_run_and_stored_bytes_stay(desk: Desk) -> None:
    """A landing must not fetch large files, nor depend on a filter's program."""
    with_file = desk.commit(desk.base, {"a.bin": "pointer\n"})
    target = desk.commit(with_file, {".gitattributes": "*.bin filter=lfs\n"})
    result = work(desk, ONE)
    for part in ("smudge", "clean"):
        git(desk.repo.path, "config", f"filter.lfs.{part}", "exit 1")
    git(desk.repo.path, "config", "filter.lfs.required", "true")
    done = land(desk, result, target)
    assert desk.show(done.commit, "a.bin") == "pointer"


def test_names_and_messages_in_any_encoding_survive(desk: Desk) -> None:
    result = work(
        desk,
        r"printf x > $'caf\xe9'; git add .; printf 'caf\xe9\n\nbody\n' > ../m;"
        "git -c i18n.commitEncoding=latin1 -c core.hooksPath=/dev/null commit -q -F ../m",
    )
    target = desk.commit(desk.base, {"z": "z\n"})
    done = land(desk, result, target)
    body = desk.repo.objects.read(done.commit)[1]
    assert b"encoding latin1\n" in body
    assert b"caf\xe9\n\nbody\n\nBaton-Task: task-1\nBaton-Epoch: 1\n" in body
    assert b"caf\xe9" in desk.files(done.commit)
