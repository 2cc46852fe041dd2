"""The command line over a git remote: clones that stand for machines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.baton import Baton
from tests.servers.site import BareRepository

Clones = Callable[[str], Baton]


def state_of(clone: Baton) -> list[str]:
    """What belongs to the user of a clone: refs, index, configuration, status, stash."""
    return [
        clone.git("for-each-ref"),
        clone.git("ls-files", "--stage"),
        clone.git("config", "--local", "--list"),
        clone.git("status", "--porcelain=v2", "--branch"),
        clone.git("stash", "list"),
        clone.git("rev-parse", "HEAD"),
    ]


def test_any_clone_is_usable_at_once(clones: Clones) -> None:
    one, two = clones("one"), clones("two")
    one.ok("add", "Fix it", "--id", "t1")
    assert two.ok("claim")["claims"][0]["task"]["id"] == "t1"
    held = one("claim", "t1", "--json")
    assert (held.status, held.error["code"]) == (75, "held")
    assert two.ok("init")["changed"] is False
    assert (one.directory / ".git" / "baton" / "settings.json").is_file()


def test_done_publishes_the_branch_with_the_record(clones: Clones) -> None:
    one, two = clones("one"), clones("two")
    one.ok("claim", "t1", "--create")
    commit = one.commit("work", "file", "text\n")
    done = one.ok("done", "t1", "--branch", "work")
    assert done["result"] == {"branch": "work", "commit": commit, "text": None}
    assert two.git("ls-remote", "origin", "refs/heads/work").startswith(commit)


def test_a_stale_claim_publishes_nothing(clones: Clones, file_remote: BareRepository) -> None:
    """I2: the branch moves only with a claim that is current."""
    one, two = clones("one"), clones("two")
    token = one.ok("claim", "t1", "--create")["claims"][0]["token"]
    one.commit("work", "file", "text\n")
    two.ok("cancel", "t1")
    refused = one("done", "t1", "--branch", "work", "--token", token, "--json")
    assert (refused.status, refused.error["code"]) == (76, "claim_lost")
    assert one.git("ls-remote", "origin", "refs/heads/work") == ""


def test_a_branch_that_was_rewritten_keeps_its_old_tip(clones: Clones) -> None:
    """I3: what the remote branch had is not lost when another history takes its place."""
    one, two = clones("one"), clones("two")
    old = two.commit("work", "theirs", "theirs\n")
    two.git("push", "-q", "origin", "work")
    one.ok("claim", "t1", "--create")
    new = one.commit("work", "mine", "mine\n")
    one.ok("done", "t1", "--branch", "work")
    refs = one.git("ls-remote", "origin")
    assert f"{new}\trefs/heads/work" in refs
    assert f"{old}\trefs/baton/rescue/t1/1-{old}" in refs


def test_the_users_repository_is_left_alone(clones: Clones) -> None:
    one = clones("one")
    (one.directory / "untracked").write_text("mine\n")
    (one.directory / "readme").write_text("changed\n")
    one.git("config", "--local", "core.bare")  # there is a configuration to compare
    before = state_of(one)
    one.ok("init")
    one.ok("add", "One", "--id", "t1")
    one.ok("claim", "t1")
    one.ok("renew", "t1")
    one.ok("done", "t1", "--commit", "HEAD")
    for words in (["list"], ["status"], ["log"], ["graph"], ["reap"]):
        one.ok(*words)
    assert state_of(one) == before


def test_the_project_decides_what_its_target_is(clones: Clones) -> None:
    """The default branch names another target; approvers are read there, not in a worktree."""
    one = clones("one")
    one.commit("stable", "baton.toml", '[gates.prod]\napprovers = ["boss@example.org"]\n')
    one.commit("main", "baton.toml", '[project]\ntarget = "stable"\n')
    one.git("push", "-q", "origin", "main", "stable")
    two = clones("two")
    two.ok("add", "Ship", "--id", "t1", "--gate", "prod")
    refused = two("approve", "t1", "--json")
    assert (refused.status, refused.error["code"]) == (77, "gate_closed")
    boss = two.acting(GIT_AUTHOR_EMAIL="boss@example.org")
    assert boss.ok("approve", "t1")["approved"] is True
    assert clones("three").ok("show", "t1")["approved"] is True


@pytest.mark.parametrize("words", [["list"], ["claim"], ["renew", "t1"], ["approve", "t1"]])
def test_a_remote_that_is_away(clones: Clones, tmp_path: Path, words: list[str]) -> None:
    one = clones("one")
    one.ok("claim", "t1", "--create")
    one.git("remote", "set-url", "origin", str(tmp_path / "gone"))
    answer = one(*words, "--json")
    assert answer.status == 69
    assert answer.error["code"] in ("unreachable", "no_repository")
    assert answer.error["next"]


def test_a_host_that_refuses(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.ok("list")
    hook = file_remote.path / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho no pushes on Fridays >&2\nexit 1\n")
    hook.chmod(0o755)
    answer = one("add", "One", "--id", "t1", "--json")
    assert (answer.status, answer.error["code"]) == (77, "host_refused")
    assert "no pushes on Fridays" in answer.error["message"]
    hook.unlink()
    assert one.ok("list") == {"tasks": []}, "nothing half-applied"


def test_a_namespace_of_ones_own(clones: Clones) -> None:
    one = clones("one")
    (one.directory / "baton.toml").write_text(
        '[store]\nnamespace = "refs/heads/agents/"\nboard = "agents-board"\n'
    )
    assert one.ok("init")["namespace"] == "refs/heads/agents/"
    one.ok("add", "One", "--id", "t1")
    refs = one.git("ls-remote", "origin")
    assert "refs/heads/agents/tasks/t1" in refs
    assert "refs/heads/agents-board" in refs
    assert "refs/baton/" not in refs


def test_several_remotes_need_a_choice(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.git("remote", "rename", "origin", "first")
    assert one.ok("init")["remote"] == "first"
    two = clones("two")
    two.git("remote", "rename", "origin", "first")
    two.git("remote", "add", "second", file_remote.url)
    answer = two("list", "--json")
    assert (answer.status, answer.error["next"]) == (2, "baton init --remote first")
    assert two.ok("init", "--remote", "second")["remote"] == "second"
    assert two.ok("init", "--sqlite")["engine"] == "sqlite"
    assert two.ok("init")["engine"] == "sqlite", "an earlier choice stays"


def test_the_target_only_ever_moves_forward(clones: Clones) -> None:
    one, two = clones("one"), clones("two")
    two.commit("main", "theirs", "theirs\n")
    two.git("push", "-q", "origin", "main")
    one.ok("claim", "t1", "--create")
    one.commit("main", "mine", "mine\n")
    refused = one("done", "t1", "--branch", "main", "--json")
    assert (refused.status, refused.error["code"]) == (1, "not_forward")
    one.git("pull", "-q", "--rebase", "origin", "main")
    assert one.ok("done", "t1", "--branch", "main")["status"] == "done"


def test_land_rules_are_those_of_the_target_branch(clones: Clones) -> None:
    one = clones("one")
    one.commit("main", "baton.toml", '[land]\nallowed = ["branch"]\n')
    one.git("push", "-q", "origin", "main")
    one.ok("claim", "t1", "--create")
    one.commit("main", "baton.toml", "")  # an agent's own rules count for nothing
    refused = one("done", "t1", "--branch", "main", "--json")
    assert (refused.status, refused.error["code"]) == (77, "gate_closed")
    one.commit("work", "file", "text\n")
    assert one.ok("done", "t1", "--branch", "work")["status"] == "done"


def test_a_host_without_atomic_pushes_lands_in_steps(
    clones: Clones, file_remote: BareRepository
) -> None:
    file_remote.configure("receive.advertiseAtomic", "false")
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    one.ok("claim", "t1")
    commit = one.commit("work", "file", "text\n")
    done = one.ok("done", "t1", "--branch", "work")
    assert done["status"] == "done"
    assert one.git("ls-remote", "origin", "refs/heads/work").startswith(commit)
