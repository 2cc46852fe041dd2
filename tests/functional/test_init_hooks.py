"""``baton init --hooks``: no commit and no push for a task that this session does not hold."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitbaton.git.repository import Clone
from gitbaton.workspace.guarding.installation import Installation
from tests.functional.baton import COMMAND, Baton
from tests.functional.outage import away
from tests.servers.site import BareRepository

Clones = Callable[[str], Baton]


def git(clone: Baton, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *words],
        cwd=clone.directory,
        env={**clone.environment(), **env},
        capture_output=True,
        text=True,
        check=False,
    )


def commit(clone: Baton, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return git(clone, "commit", "--allow-empty", "-m", "work", *words, **env)


def hooks(clone: Baton) -> Path:
    return clone.directory / ".git" / "hooks"


def write_hook(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_commits_for_a_task_need_its_claim(baton: Baton) -> None:
    """Without a remote the record itself is asked, in the clone and in its worktrees."""
    assert len(baton.ok("init", "--sqlite", "--hooks")["hooks"]) == 2
    for name in ("t1", "t2"):
        baton.ok("add", name, "--id", name)
    assert commit(baton).returncode == 0, "it concerns no task"
    baton.git("checkout", "-q", "-b", "task/t1")
    refused = commit(baton)
    assert refused.returncode == 1
    assert "for task t1: nobody holds it" in refused.stderr
    assert "next: baton claim t1" in refused.stderr
    ann = baton.acting(BATON_SESSION="ann")
    ann.ok("claim", "t1", "--agent", "ann")
    assert commit(ann).returncode == 0
    bob = baton.acting(BATON_SESSION="bob")
    refused = commit(bob)
    assert refused.returncode == 1 and "ann has it" in refused.stderr
    assert commit(bob, "--no-verify").returncode == 0
    tree = baton.directory.parent / "linked"
    baton.git("worktree", "add", "-q", "-b", "task/t2", str(tree))
    linked = Baton(tree)
    assert commit(linked).returncode == 1
    token = linked.ok("claim", "t2")["claims"][0]["token"]
    stranger = linked.acting(BATON_SESSION="x")
    assert commit(stranger).returncode == 1
    assert commit(stranger, BATON_TOKEN=token).returncode == 0
    assert commit(stranger, BATON_TASK="t1", BATON_TOKEN=token).returncode == 1, "and t1 is ann's"
    linked.git("checkout", "-q", "-b", "task/no-such-task")
    assert commit(linked).returncode == 0


def test_a_claim_that_is_lost_while_hooks_run_stops_the_commit(baton: Baton) -> None:
    """It is asked again under the lock, right before the branch moves."""
    baton.ok("init", "--sqlite", "--hooks")
    baton.ok("add", "T", "--id", "t1")
    ann = baton.acting(BATON_SESSION="ann", BATON_TASK="t1")
    ann.ok("claim", "t1")
    give_back = f"exec {' '.join(COMMAND)} release t1"
    write_hook(hooks(baton) / "commit-msg", give_back)
    (baton.directory / "readme").write_text("new\n")
    tip = baton.git("rev-parse", "HEAD")
    answer = ann("commit", "readme", "-m", "x", "--json")
    assert (answer.status, answer.error["code"]) == (1, "not_held"), answer
    assert answer.error["message"] == "this commit is for task t1: nobody holds it"
    assert baton.git("rev-parse", "HEAD") == tip
    assert baton.git("status", "--porcelain") == "M readme"


def test_pushes_are_judged_offline(clones: Clones, file_remote: BareRepository) -> None:
    """I9: what cannot be known offline blocks a push, and only warns at a commit."""
    one = clones("one")
    one.ok("init", "--hooks")
    one.ok("claim", "t1", "--create")
    with away(file_remote):
        one.git("checkout", "-q", "-b", "task/t1")
        assert commit(one).returncode == 0
        one.git("checkout", "-q", "-b", "task/t9")
        warned = commit(one)
        assert warned.returncode == 0
        assert "no claim of it was made from this clone; next: baton claim t9" in warned.stderr
    assert git(one, "push", "origin", "task/t1").returncode == 0
    assert git(one, "push", "origin", "HEAD:elsewhere").returncode == 0
    refused = git(one, "push", "origin", "HEAD:task/t9")
    assert refused.returncode == 1 and "next: baton claim t9" in refused.stderr
    assert git(one, "push", "origin", "HEAD:e2", BATON_TASK="t9").returncode == 1
    stranger = one.acting(BATON_SESSION="other")
    refused = git(stranger, "push", "origin", ":task/t1")
    assert refused.returncode == 1 and "another session holds it" in refused.stderr
    assert "task/t9" not in one.git("ls-remote", "origin")
    one.ok("done", "t1", "--branch", "task/t1")


def test_hooks_that_were_there_run_first_and_come_back(clones: Clones, tmp_path: Path) -> None:
    one, said = clones("one"), tmp_path / "said"
    write_hook(hooks(one) / "pre-commit", f"echo before >> {said}; [ ! -e {said}.no ]")
    write_hook(hooks(one) / "pre-push", f'cat >> {said}; echo "$1" >> {said}')
    before = {name: (hooks(one) / name).read_bytes() for name in ("pre-commit", "pre-push")}
    for _ in range(2):
        one.ok("init", "--hooks")
    one.git("checkout", "-q", "-b", "task/t1")
    assert commit(one).returncode == 0
    assert git(one, "push", "origin", "HEAD:topic").returncode == 0
    ran, pushed, remote = said.read_text().splitlines()
    assert (ran, remote) == ("before", "origin")
    assert pushed.split()[2] == "refs/heads/topic"
    Path(f"{said}.no").touch()
    assert commit(one).returncode == 1
    assert len(one.ok("init", "--no-hooks")["hooks"]) == 2
    assert {name: (hooks(one) / name).read_bytes() for name in before} == before
    assert one.ok("init", "--no-hooks")["hooks"] == []
    assert not list(hooks(one).glob("*before-baton*"))


def test_a_hooks_path_is_left_as_it_is_and_led_through(baton: Baton, tmp_path: Path) -> None:
    """As with husky: the hooks are in the tree, and core.hooksPath leads there."""
    said = tmp_path / "said"
    write_hook(baton.directory / ".husky" / "pre-commit", f"echo pre-commit >> {said}")
    write_hook(baton.directory / ".husky" / "commit-msg", f"echo commit-msg >> {said}")
    baton.git("add", ".husky")
    baton.git("commit", "-q", "-m", "hooks")
    baton.git("config", "core.hooksPath", ".husky")
    for _ in range(2):
        baton.ok("init", "--sqlite", "--hooks")
    baton.ok("add", "T", "--id", "t1")
    assert baton.git("status", "--porcelain") == ""
    assert commit(baton).returncode == 0
    assert said.read_text() == "pre-commit\ncommit-msg\n"
    tree = tmp_path / "linked"
    baton.git("worktree", "add", "-q", "-b", "task/t1", str(tree))
    linked = Baton(tree)
    (tree / ".husky" / "pre-commit").write_text(f"#!/bin/sh\necho of the linked tree >> {said}\n")
    assert commit(linked).returncode == 1
    assert said.read_text().splitlines()[2:] == ["of the linked tree"]
    baton.ok("init", "--no-hooks")
    assert baton.git("config", "core.hooksPath") == ".husky"
    assert commit(linked).returncode == 0
    assert not (baton.directory / ".git" / "baton" / "githooks").exists()


def test_the_pre_commit_framework_installed_before_or_after(baton: Baton, tmp_path: Path) -> None:
    (baton.directory / ".pre-commit-config.yaml").write_text(
        "repos:\n- repo: local\n  hooks:\n  - {id: x, name: x, entry: touch ran, language: system,"
        " always_run: true, pass_filenames: false}\n"
    )
    baton.git("add", ".")
    baton.git("commit", "-q", "-m", "config")

    def framework(*words: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "pre_commit", *words],
            cwd=baton.directory,
            check=True,
            capture_output=True,
        )

    baton.ok("init", "--sqlite", "--hooks")
    baton.ok("add", "T", "--id", "t1")
    framework("install")
    baton.ok("init", "--hooks")
    baton.git("checkout", "-q", "-b", "task/t1")
    assert commit(baton).returncode == 1
    baton.ok("claim", "t1")
    assert commit(baton).returncode == 0
    assert (baton.directory / "ran").exists()
    baton.ok("init", "--no-hooks")
    framework("uninstall")
    assert [p.name for p in hooks(baton).iterdir() if not p.name.endswith(".sample")] == []
    manifest = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"
    framework("validate-manifest", str(manifest))


def test_the_frameworks_own_hook(baton: Baton) -> None:
    """The entries of our manifest do what the git hooks do."""
    baton.ok("init", "--sqlite")
    baton.ok("add", "T", "--id", "t1")
    baton.git("checkout", "-q", "-b", "task/t1")
    assert baton("guard", "pre-commit").status == 1
    told = {"PRE_COMMIT_REMOTE_BRANCH": "refs/heads/task/t1"}
    assert baton.acting(**told)("guard", "pre-push").status == 1
    baton.ok("claim", "t1")
    assert baton("guard", "pre-commit").status == 0
    assert baton.acting(**told)("guard", "pre-push").status == 0


def dying(step: int) -> Callable[..., None]:
    """Return ``os.replace``, at whose call number ``step`` the process ends."""
    real, left = os.replace, [step]

    def replace(*args: Path) -> None:
        left[0] -= 1
        if not left[0]:
            os._exit(42)
        real(*args)

    return replace


@pytest.mark.parametrize("setting", [None, ".husky"])
def test_killed_while_they_are_put_in_no_hook_is_lost(
    baton: Baton, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str | None
) -> None:
    """I4: at every rename on the way the hook that was there before still runs."""
    said = tmp_path / "said"
    place = hooks(baton) if setting is None else baton.directory / setting
    if setting is not None:
        baton.git("config", "core.hooksPath", setting)
    write_hook(place / "pre-commit", f"echo before >> {said}")
    for step in range(1, 30):
        child = os.fork()
        if child == 0:
            try:
                monkeypatch.setattr(os, "replace", dying(step))
                clone = Clone.find(baton.directory, dict(os.environ))
                Installation(clone, sys.executable).install(prefix="task/")
                os._exit(0)
            finally:
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, 42)
        said.unlink(missing_ok=True)
        assert commit(baton).returncode == 0
        assert said.read_text() == "before\n", step
        if status == 0:
            break
    assert status == 0 and step > 3
    baton.ok("init", "--no-hooks")
    assert (place / "pre-commit").read_text() == f"#!/bin/sh\necho before >> {said}\n"


def test_a_branch_of_another_name_is_judged_by_where_it_is_pushed(
    clones: Clones, file_remote: BareRepository
) -> None:
    """I9: `baton` pushes past its own hook, and so looks at the upstream itself."""
    one = clones("one")
    one.ok("init", "--hooks")
    one.git("push", "-q", "--no-verify", "origin", "HEAD:refs/heads/task/t9")
    one.git("fetch", "-q")
    one.git("checkout", "-q", "-b", "mine", "--track", "origin/task/t9")
    assert commit(one).returncode == 0
    refused = one("sync", "--push")
    assert refused.status == 1
    assert "for task t9" in refused.err + refused.out
