"""``baton commit`` as it is typed: what it prints, and each refusal with the command to copy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.baton import Answer, Baton
from tests.functional.test_startup import watch


@pytest.fixture
def tree(tmp_path: Path) -> Baton:
    """A working tree with one commit of three files."""
    top = tmp_path / "house"
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    baton = Baton(top)
    (top / "dir").mkdir()
    for name in ("a.txt", "b.txt", "dir/c.txt"):
        (top / name).write_text(f"{name}\n")
    baton.git("add", ".")
    baton.git("commit", "-q", "-m", "first")
    return baton


def refused(answer: Answer, message: str, next: str) -> None:
    """Check the two lines of a refusal."""
    assert (answer.status, answer.out) == (1, "")
    assert answer.err == f"baton: {message}\n  next: {next}\n"


def test_a_commit_says_what_is_in_it(tree: Baton) -> None:
    (tree.directory / "a.txt").write_text("new\n")
    (tree.directory / "b.txt").unlink()
    (tree.directory / "n w.txt").write_text("new\n")
    answer = tree("commit", "a.txt", "b.txt", "n w.txt", "dir/c.txt", "-m", "Say so", "-m", "More.")
    short = tree.git("rev-parse", "--short=10", "HEAD")
    assert answer.out == (
        f"[main {short}] Say so\n  changed  a.txt\n  removed  b.txt\n  added    'n w.txt'\n"
    )
    assert answer.err == "as before: dir/c.txt\n"
    assert tree.git("log", "-1", "--format=%B") == "Say so\n\nMore."
    assert tree.git("reflog", "-1", "--format=%gs") == "commit: Say so"


def test_json(tree: Baton) -> None:
    (tree.directory / "a.txt").write_text("new\n")
    parent = tree.git("rev-parse", "HEAD")
    assert tree.ok("commit", "a.txt", "-m", "x") == {
        "commit": tree.git("rev-parse", "HEAD"),
        "parent": parent,
        "branch": "main",
        "subject": "x",
        "amended": False,
        "files": [{"path": "a.txt", "status": "changed"}],
        "unchanged": [],
        "superseded": [],
        "returned": [],
        "dropped": [],
        "hooks": [],
        "output": "",
    }
    answer = tree("commit", "nowhere", "-m", "x", "--json")
    assert (answer.status, answer.error["code"]) == (1, "unknown_path")


def test_names_that_are_no_text_survive_json(tree: Baton) -> None:
    name = b"caf\xe9"
    (tree.directory / os.fsdecode(name)).write_text("x")
    done = tree.ok("commit", os.fsdecode(name), "-m", "x")
    assert done["files"] == [{"path": r'"caf\351"', "status": "added"}]


def test_from_a_directory_below_paths_count_from_there(tree: Baton) -> None:
    below = Baton(tree.directory / "dir")
    (tree.directory / "a.txt").write_text("new\n")
    (tree.directory / "dir/c.txt").write_text("new\n")
    below.ok("commit", "c.txt", "../a.txt", "-m", "both")
    (tree.directory / "a.txt").write_text("newer\n")
    tree.ok("-C", "dir", "commit", "../a.txt", "-m", "by -C")
    (tree.directory / "a.txt").write_text("newest\n")
    Baton(tree.directory.parent).ok(
        *("-C", str(tree.directory), "commit", str(tree.directory / "a.txt"), "-m", "absolute")
    )
    assert tree.git("status", "--porcelain") == ""


def test_the_message_may_come_from_a_file_or_standard_input(tree: Baton) -> None:
    (tree.directory / "a.txt").write_text("1\n")
    answer = tree("commit", "a.txt", "-F", "-", stdin="\n\nFrom afar  \n\n\n# kept\n")
    assert answer.status == 0, answer
    assert tree.git("log", "-1", "--format=%B") == "From afar\n\n# kept"
    (tree.directory / "a.txt").write_text("2\n")
    (tree.directory / "message").write_text("From a file\n")
    tree.ok("commit", "a.txt", "-F", "message")
    assert tree.git("log", "-1", "--format=%s") == "From a file"
    assert tree("commit", "a.txt", "-F", "message", "-m", "x").status == 2
    assert tree("commit", "a.txt", "-F", "nowhere").status == 2


def test_the_task_is_noted(tree: Baton) -> None:
    (tree.directory / "a.txt").write_text("1\n")
    tree.acting(BATON_TASK="t-1").ok("commit", "a.txt", "-m", "Do it")
    assert tree.git("log", "-1", "--format=%B") == "Do it\n\nBaton-Task: t-1"
    (tree.directory / "baton.toml").write_text("[commit]\ntrailer = false\n")
    (tree.directory / "a.txt").write_text("2\n")
    tree.acting(BATON_TASK="t-1").ok("commit", "a.txt", "-m", "Do it")
    assert tree.git("log", "-1", "--format=%B") == "Do it"


def test_nothing_named(tree: Baton) -> None:
    refused(
        tree("commit", "-m", "x"),
        "name the files to commit: others may have changes in this working tree",
        "git status --short, then baton commit PATH... -m MSG",
    )
    refused(
        tree("commit", ".", "-r", "-m", "x"),
        "the whole working tree is not one session's to commit: name files or directories",
        "git status --short, then baton commit PATH... -m MSG",
    )
    answer = tree("commit", "a.txt")
    assert (answer.status, answer.err) == (
        2,
        "baton: say what the commit is about: -m MSG, or -F FILE\n  next: baton commit --help\n",
    )
    refused(
        tree("commit", "a.txt", "-m", " "),
        "the commit message is empty",
        "baton commit PATH… -m MSG",
    )


def test_paths_that_cannot_be_committed(tree: Baton) -> None:
    refused(
        tree("commit", "../x", "-m", "x"),
        "../x is outside of this working tree",
        "git status --short",
    )
    refused(
        tree("commit", "x y", "-m", "x"),
        "'x y' is neither in the working tree nor in the last commit",
        "git status --short",
    )
    refused(
        tree("commit", "A.txt", "-m", "x"),
        "there is no A.txt; a.txt is spelled differently",
        "baton commit a.txt -m MSG",
    )
    refused(
        tree("commit", "dir", "a.txt", "-m", "x"),
        "dir: a directory is committed only with --recursive, since others may be at work in it",
        "baton commit --recursive dir a.txt -m MSG",
    )
    refused(
        tree("commit", "a.txt", "-m", "x"),
        "nothing to commit: a.txt is as in the last commit",
        "git status --short",
    )
    assert tree("commit", ".git/config", "-m", "x").status == 1


def test_many_deletions(tree: Baton) -> None:
    (tree.directory / "many").mkdir()
    for number in range(51):
        (tree.directory / f"many/{number:02}").write_text("x")
    tree.ok("commit", "many", "-r", "-m", "come")
    subprocess.run(["rm", "-r", str(tree.directory / "many")], check=True)
    refused(
        tree("commit", "many", "-r", "-m", "go"),
        "51 files would be removed (many/00, many/01, many/02 and 48 more); at most 50 may be, "
        "unless said so",
        "if they shall go: baton commit --max-deletions 51 … (always: max_deletions under "
        "[commit] in baton.toml)",
    )
    answer = tree("commit", "many", "-r", "-m", "go", "--max-deletions", "51")
    assert answer.out.splitlines()[1] == "  51 files: 51 removed"


def test_large_files(tree: Baton) -> None:
    (tree.directory / "baton.toml").write_text("[commit]\nmax_file_size = 1000\n")
    (tree.directory / "large").write_bytes(b"x" * 1001)
    refused(
        tree("commit", "large", "-m", "x"),
        "larger than 1,000 bytes: large (1,001 bytes); what is committed stays in the history for "
        "ever",
        "if it shall go in: baton commit --max-file-size 1001 … (always: max_file_size under "
        "[commit] in baton.toml)",
    )
    tree.git("config", "filter.small.clean", "echo small")
    (tree.directory / ".gitattributes").write_text("large filter=small\n")
    tree.ok("commit", "large", "-m", "by a filter it is small")


def test_unmerged_paths_and_operations_under_way(tree: Baton) -> None:
    tree.commit("side", "a.txt", "side\n")
    tree.git("checkout", "-q", "main")
    tree.commit("main", "a.txt", "main\n")
    merge = subprocess.run(
        ["git", "merge", "side"], cwd=tree.directory, capture_output=True, check=False
    )
    assert merge.returncode == 1
    refused(
        tree("commit", "a.txt", "-m", "x"),
        "a merge is under way in this working tree: it moves HEAD, and would take the commit along "
        "or leave it behind",
        "git merge --continue (or --abort)",
    )
    (tree.directory / ".git/MERGE_HEAD").unlink()
    refused(
        tree("commit", "a.txt", "-m", "x"),
        "not merged yet: a.txt",
        "resolve the conflict, then git add -- a.txt",
    )


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (["rebase", "-q", "side"], "a rebase"),
        (["cherry-pick", "side"], "a cherry-pick"),
        (["revert", "--no-edit", "HEAD~1"], "a revert"),
        (["bisect", "start", "HEAD", "HEAD~1"], "a bisection"),
    ],
)
def test_what_else_may_be_under_way(tree: Baton, start: list[str], words: str) -> None:
    tree.commit("side", "a.txt", "side\n")
    tree.git("checkout", "-q", "main")
    tree.commit("main", "a.txt", "main\n")
    tree.commit("main", "a.txt", "main 2\n")
    subprocess.run(["git", *start], cwd=tree.directory, capture_output=True, check=False)
    (tree.directory / "b.txt").write_text("mine\n")
    answer = tree("commit", "b.txt", "-m", "x")
    assert answer.status == 1
    assert answer.err.startswith(f"baton: {words} is under way in this working tree")


def test_a_detector_of_secrets_may_refuse(tree: Baton) -> None:
    (tree.directory / "a.txt").write_text("password = hunter2\n")
    tree.git("config", "baton.commit.scanner", "sh -c '! grep -n ^+.*hunter2'")
    refused(
        tree("commit", "a.txt", "-m", "x"),
        "the detector of secrets says no (exit status 1): 7:+password = hunter2",
        "take the secret out of the file, or mark it as the detector's manual says",
    )
    tree.git("config", "baton.commit.scanner", "no-such-detector")
    refused(
        tree("commit", "a.txt", "-m", "x"),
        "the detector of secrets cannot be run (no-such-detector): [Errno 2] No such file or "
        "directory: 'no-such-detector'",
        "git config baton.commit.scanner COMMAND",
    )
    tree.git("config", "baton.commit.scanner", "cat")
    tree.ok("commit", "a.txt", "-m", "x")


def test_what_a_tracked_file_names_runs_only_where_this_machine_says_so(tree: Baton) -> None:
    """Whoever can push can change baton.toml: that alone must not run anything here."""
    (tree.directory / "a.txt").write_text("new\n")
    config = tree.directory / "baton.toml"
    config.write_text("[commit]\nscanner = 'touch ran'\n")
    refused(
        tree("commit", "a.txt", "-m", "x"),
        "baton.toml asks to run a command at every commit, and a file that others can push does "
        "not decide that: touch ran",
        "git config baton.commit.scanner 'touch ran' "
        "(or, to do without: git config baton.commit.scanner '')",
    )
    assert not (tree.directory / "ran").exists()
    tree.git("config", "baton.commit.scanner", "")
    tree.ok("commit", "a.txt", "-m", "without")
    assert not (tree.directory / "ran").exists()
    tree.git("config", "baton.commit.scanner", "touch ran")
    (tree.directory / "a.txt").write_text("newer\n")
    tree.ok("commit", "a.txt", "-m", "agreed")
    assert (tree.directory / "ran").exists()


def test_the_detector_of_this_machine_runs_and_no_other(tree: Baton) -> None:
    (tree.directory / "a.txt").write_text("new\n")
    tree.git("config", "baton.commit.scanner", "cat")
    (tree.directory / "baton.toml").write_text("[commit]\nscanner = 'touch ran'\n")
    answer = tree("commit", "a.txt", "-m", "x")
    assert answer.status == 0
    assert answer.err == "baton.toml proposes another detector (touch ran); here runs: cat\n"
    assert not (tree.directory / "ran").exists()


def test_a_tracked_file_does_not_say_where_checkouts_and_worktrees_go(tree: Baton) -> None:
    (tree.directory / "a.txt").write_text("new\n")
    elsewhere = tree.directory.parent / "elsewhere"
    (tree.directory / "baton.toml").write_text("[work]\nworktrees = '../elsewhere'\n")
    hook = tree.directory / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\nexit 0\n")
    hook.chmod(0o755)
    for words in (("commit", "a.txt", "-m", "x"), ("session", "start", "--worktree")):
        refused(
            tree(*words),
            "baton.toml asks to put worktrees into another directory, and a file that others can "
            "push does not decide that: ../elsewhere",
            "git config baton.work.worktrees ../elsewhere "
            "(or, to do without: git config baton.work.worktrees '')",
        )
    assert not elsewhere.exists()
    tree.git("config", "baton.work.worktrees", "../elsewhere")
    tree.ok("commit", "a.txt", "-m", "x")
    assert (elsewhere / "hooks").is_dir()


def test_check_moves_nothing(tree: Baton) -> None:
    (tree.directory / "a.txt").write_text("new\n")
    before = tree.git("rev-parse", "HEAD")
    answer = tree("commit", "a.txt", "-m", "Try", "--check")
    assert answer.out == "[main, not made] Try\n  changed  a.txt\n"
    assert answer.err == (
        "nothing was moved: guards and hooks pass; without --check it is committed\n"
    )
    assert tree.git("rev-parse", "HEAD") == before
    assert tree.git("status", "--porcelain") == "M a.txt"


def test_a_detached_head_is_said(tree: Baton) -> None:
    tree.git("checkout", "-q", "--detach")
    (tree.directory / "a.txt").write_text("new\n")
    answer = tree("commit", "a.txt", "-m", "x")
    short = tree.git("rev-parse", "--short=10", "HEAD")
    assert (
        answer.err
        == f"HEAD is detached: no branch has this commit\n  next: git branch NAME {short}\n"
    )


def test_outside_of_a_repository(tmp_path: Path) -> None:
    answer = Baton(tmp_path)("commit", "a", "-m", "x")
    assert answer.status == 1
    assert "is not in the working tree of a git repository" in answer.err


def test_who_commits_must_be_known(tree: Baton, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("[user]\nuseConfigOnly = true\n")
    (tree.directory / "a.txt").write_text("new\n")
    stranger = tree.acting(GIT_CONFIG_GLOBAL=str(tmp_path / "empty"))
    refused(
        stranger("commit", "a.txt", "-m", "x"),
        "git does not know who commits",
        "git config user.name NAME; git config user.email ADDRESS",
    )


class TestAmending:
    """One's own last commit, while nobody else can have it."""

    def test_message_and_files(self, tree: Baton) -> None:
        me = tree.acting(BATON_SESSION="s-1", GIT_AUTHOR_NAME="First Author")
        (tree.directory / "a.txt").write_text("new\n")
        me.ok("commit", "a.txt", "-m", "First try")
        parent = tree.git("rev-parse", "HEAD^")
        (tree.directory / "b.txt").write_text("forgotten\n")
        done = tree.acting(BATON_SESSION="s-1").ok("commit", "b.txt", "--amend")
        assert done["amended"] is True
        assert tree.git("log", "-1", "--format=%an %s %P") == f"First Author First try {parent}"
        assert tree.git("diff", "--name-only", "HEAD^").split() == ["a.txt", "b.txt"]
        me.ok("commit", "--amend", "-m", "Better said")
        assert tree.git("log", "-1", "--format=%s") == "Better said"
        assert tree.git("reflog", "-1", "--format=%gs") == "commit (amend): Better said"
        assert tree.git("status", "--porcelain") == ""

    def test_only_ones_own(self, tree: Baton) -> None:
        (tree.directory / "a.txt").write_text("new\n")
        tree.acting(BATON_SESSION="s-1").ok("commit", "a.txt", "-m", "Theirs")
        short = tree.git("rev-parse", "--short=10", "HEAD")
        refused(
            tree.acting(BATON_SESSION="s-2")("commit", "--amend", "-m", "x"),
            f"the last commit ({short}, 'Theirs' by Tester) was made by another session: s-1",
            "make another commit: baton commit PATH… -m MSG",
        )

    def test_only_by_baton_commit(self, tree: Baton) -> None:
        short = tree.git("rev-parse", "--short=10", "HEAD")
        refused(
            tree("commit", "--amend", "-m", "x"),
            f"the last commit ({short}, 'first' by Tester) was not made by baton commit in this "
            "working tree",
            "make another commit: baton commit PATH… -m MSG",
        )

    def test_only_unpushed(self, clones: Callable[[str], Baton]) -> None:
        one = clones("one")
        (one.directory / "readme").write_text("new\n")
        one.ok("commit", "readme", "-m", "Pushed")
        one.git("push", "-q", "origin", "main")
        short = one.git("rev-parse", "--short=10", "HEAD")
        refused(
            one("commit", "--amend", "-m", "x"),
            f"the last commit ({short}) is pushed already: origin/main has it",
            "make another commit: baton commit PATH… -m MSG",
        )


def test_it_starts_little(tree: Baton) -> None:
    """Two processes find out where we are; a commit without hooks and new files takes eight."""
    (tree.directory / "a.txt").write_text("new\n")
    told = watch(tree, "commit", "a.txt", "-m", "x", "--json")
    assert tree.git("log", "-1", "--format=%s") == "x"
    words = ("rich", "sqlite3", "filelock", "psutil", "asyncio", "concurrent")
    heavy = {
        "gitbaton.app",
        "gitbaton.store",
        "gitbaton.tasks",
        "gitbaton.workspace.snapshot.passage",
    }
    assert [m for m in told["modules"] if m in heavy or m.split(".")[0] in words] == []
    assert len(told["started"]) <= 10, told["started"]


def test_what_a_killed_commit_left_is_tidied_up_by_any_command(tree: Baton) -> None:
    """I4: the next command takes the staged change of a killed commit back, or finishes it."""
    tree.ok("list")
    (tree.directory / "a.txt").write_text("new\n")
    kill = (
        "import os, signal, sys\n"
        "from gitbaton.git.reftransaction import RefTransaction\n"
        "RefTransaction.commit = lambda self: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from gitbaton.cli.main import main\n"
        "main()\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", kill, "commit", "a.txt", "-m", "x"],
        cwd=tree.directory,
        env=tree.environment(),
        check=False,
    )
    assert done.returncode == -9
    assert tree.git("status", "--porcelain") == "M  a.txt", "staged, as the index goes first"
    answer = tree("list")
    assert answer.err == "tidied up after a commit that was killed here\n"
    assert tree.git("status", "--porcelain") == "M a.txt"
    assert tree("list").err == ""
