"""``baton commit`` with hooks, as people and agents meet them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.functional.baton import Baton


@pytest.fixture
def desk(tmp_path: Path) -> Baton:
    """A clone with two committed files, where somebody else is in the middle of something."""
    top = tmp_path / "desk"
    subprocess.run(["git", "init", "--quiet", str(top)], check=True)
    desk = Baton(top)
    for name in ("mine.txt", "theirs.txt"):
        (top / name).write_text("one\n")
    desk.git("add", ".")
    desk.git("commit", "--quiet", "-m", "first")
    (top / "theirs.txt").write_text("half writ")
    (top / "stray.txt").write_text("stray\n")
    return desk


def _hook(desk: Baton, name: str, script: str) -> None:
    path = desk.directory / ".git" / "hooks" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _write(desk: Baton, text: str) -> Path:
    path = desk.directory / "mine.txt"
    path.write_text(text)
    return path


def test_a_hook_that_would_trip_over_others_does_not(desk: Baton) -> None:
    _hook(desk, "pre-commit", "test $(cat theirs.txt) = one && test ! -e stray.txt && echo fine")
    _write(desk, "two\n")
    answer = desk("commit", "mine.txt", "-m", "second")
    assert (answer.status, answer.err) == (0, "fine\n")
    assert desk.git("show", "--format=%s", "--name-only") == "second\n\nmine.txt"
    assert desk.git("status", "--porcelain", "--branch") == "## main\n M theirs.txt\n?? stray.txt"


def test_a_fix_is_committed_and_comes_back(desk: Baton) -> None:
    _hook(desk, "pre-commit", "tr a-z A-Z < mine.txt > t; mv t mine.txt; echo x >> theirs.txt")
    path = _write(desk, "two\n")
    path.chmod(0o755)
    answer = desk("commit", "mine.txt", "-m", "second")
    assert answer.status == 0, answer
    assert "mine.txt: fixed by a hook\n" in answer.out + answer.err
    assert "not named; left out: theirs.txt\n" in answer.out + answer.err
    assert desk.git("show", "HEAD:mine.txt") == "TWO"
    assert path.read_text() == "TWO\n"
    assert desk.git("status", "--porcelain", "--branch") == "## main\n M theirs.txt\n?? stray.txt"
    assert (desk.directory / "theirs.txt").read_text() == "half writ"


def test_an_edit_made_while_the_hook_ran_is_not_overwritten_i3(desk: Baton) -> None:
    path = _write(desk, "two\n")
    _hook(desk, "pre-commit", f"tr a-z A-Z < mine.txt > t; mv t mine.txt; echo three > {path}")
    done = desk.ok("commit", "mine.txt", "-m", "second")
    assert done["returned"] == [{"path": "mine.txt", "fate": "changed", "reason": None}]
    assert desk.git("show", "HEAD:mine.txt") == "TWO"
    assert path.read_text() == "three\n"
    assert (
        desk.git("status", "--porcelain", "--branch")
        == "## main\n M mine.txt\n M theirs.txt\n?? stray.txt"
    )


def test_a_hook_that_refuses_leaves_everything_as_it_was(desk: Baton) -> None:
    _hook(desk, "pre-commit", "echo 'mine.txt:1: no'; echo 'see the log' >&2; exit 3")
    _write(desk, "two\n")
    before = desk.git("rev-parse", "HEAD"), desk.git("status", "--porcelain")
    answer = desk("commit", "mine.txt", "-m", "second")
    assert answer.status == 1
    assert answer.err == (
        "mine.txt:1: no\nsee the log\n"
        "baton: the pre-commit hook refused the commit (exit status 3)\n"
        "  next: correct what the hook names, then commit again\n"
    )
    told = desk("commit", "mine.txt", "-m", "second", "--json")
    assert told.error["code"] == "hook_failed"
    assert "mine.txt:1: no" in told.err
    assert (desk.git("rev-parse", "HEAD"), desk.git("status", "--porcelain")) == before


def test_a_file_that_a_hook_takes_out_stays_in_the_working_tree_i3(desk: Baton) -> None:
    _hook(desk, "pre-commit", "git rm --quiet --cached secret.txt")
    (desk.directory / "secret.txt").write_text("s3cret\n")
    _write(desk, "two\n")
    assert desk("commit", "mine.txt", "secret.txt", "-m", "second").status == 0
    assert desk.git("ls-tree", "--name-only", "HEAD") == "mine.txt\ntheirs.txt"
    assert (desk.directory / "secret.txt").read_text() == "s3cret\n"


def test_message_hooks_and_post_commit(desk: Baton) -> None:
    _hook(desk, "prepare-commit-msg", 'sed -i "1s/^/$(git symbolic-ref --short HEAD): /" "$1"')
    _hook(desk, "commit-msg", 'grep -q ": second" "$1"')
    _hook(desk, "post-commit", 'git log -1 --format="made %s"')
    _write(desk, "two\n")
    answer = desk("commit", "mine.txt", "-m", "second")
    assert answer.status == 0 and answer.err.endswith("made main: second\n"), answer
    assert desk.git("log", "-1", "--format=%s") == "main: second"
    _write(desk, "three\n")
    assert desk("commit", "mine.txt", "-m", "third").status == 1


def test_check_runs_the_hooks_and_moves_nothing(desk: Baton) -> None:
    _hook(desk, "pre-commit", "echo looked")
    _write(desk, "two\n")
    before = desk.git("rev-parse", "HEAD")
    answer = desk("commit", "mine.txt", "-m", "second", "--check")
    assert answer.status == 0 and answer.err.startswith("looked\n")
    assert desk.git("rev-parse", "HEAD") == before


def test_a_background_child_of_a_hook_does_not_keep_the_lock(desk: Baton, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    _hook(desk, "pre-commit", f"sleep 300 & echo $! >> {pids}")
    try:
        for text in ("two\n", "three\n"):
            _write(desk, text)
            assert desk("commit", "mine.txt", "-m", text, "--wait", "5s").status == 0
    finally:
        for pid in pids.read_text().split():
            os.kill(int(pid), 9)


def test_links_and_limits_come_from_the_configuration(desk: Baton) -> None:
    (desk.directory / "baton.toml").write_text(
        '[commit]\nlinks = ["node_modules"]\nhook_timeout = "1s"\naccept_fixes = false\n'
    )
    (desk.directory / "node_modules").mkdir()
    (desk.directory / "node_modules" / "tool").write_text("echo from a tool\n")
    _hook(desk, "pre-commit", "sh node_modules/tool; git status --porcelain")
    _write(desk, "two\n")
    answer = desk("commit", "mine.txt", "-m", "second")
    assert (answer.status, answer.err) == (0, "from a tool\nM  mine.txt\n")
    _hook(desk, "pre-commit", "sleep 300")
    _write(desk, "three\n")
    answer = desk("commit", "mine.txt", "-m", "third")
    assert answer.status == 1
    assert "the pre-commit hook took longer than 1 s and was ended" in answer.err
    _hook(desk, "pre-commit", "echo fixed > mine.txt; exit 1")
    assert desk("commit", "mine.txt", "-m", "third").status == 1


def test_a_hook_that_calls_baton_means_the_clone(desk: Baton) -> None:
    """So the guard of tasks works as a hook of the pre-commit framework too."""
    desk.ok("init", "--sqlite")
    desk.ok("add", "work", "--id", "t1")
    ann = desk.acting(BATON_SESSION="ann", BATON_TASK="t1")
    ann.ok("claim", "t1", "--agent", "ann")
    _hook(desk, "pre-commit", f"{sys.executable} -m gitbaton.cli guard pre-commit && echo asked")
    _write(desk, "two\n")
    bob = desk.acting(BATON_SESSION="bob", BATON_TASK="t1")("commit", "mine.txt", "-m", "second")
    assert bob.status == 1 and "task t1: somebody else holds it: ann has it" in bob.err, bob
    answer = ann("commit", "mine.txt", "-m", "second")
    assert answer.status == 0 and "asked\n" in answer.err, answer


@pytest.mark.race
def test_sixteen_commit_at_once_and_each_is_fixed_alone_i3(desk: Baton) -> None:
    """The hook fixes what is staged, fails on any dirt it sees, and staggers who is in it."""
    _hook(
        desk,
        "pre-commit",
        "set -e\n"
        "test $(cat theirs.txt) = one && test ! -e stray.txt\n"
        "test $(git diff --cached --name-only | wc -l) = 1\n"
        "name=$(git diff --cached --name-only)\n"
        'tr a-z A-Z < "$name" > t && mv t "$name" && git add -A\n',
    )
    names = [f"file{number}.txt" for number in range(16)]
    for name in names:
        (desk.directory / name).write_text(f"by {name}\n")
    running = [desk.start("commit", name, "-m", name) for name in names]
    for process in running:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, (out, err)
    assert desk.git("rev-list", "--count", "HEAD") == "17"
    for name in names:
        [commit] = desk.git("log", "--format=%H", f"--grep=^{name}$").split()
        assert desk.git("show", "--format=", "--name-only", commit) == name
        assert (desk.directory / name).read_text() == f"BY {name.upper()}\n"
    assert desk.git("status", "--porcelain", "--branch") == "## main\n M theirs.txt\n?? stray.txt"
    desk.git("fsck", "--strict")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_the_hook_with_the_commit(desk: Baton, tmp_path: Path, name: str) -> None:
    """What ended the commit has ended what it started; nothing has moved."""
    told = tmp_path / "told"
    os.mkfifo(told)
    # The pipe is open as long as one of the hook's processes lives.
    _hook(desk, "pre-commit", f"exec 5>{told}; sleep 600 & echo ready >&5; wait")
    _write(desk, "two\n")
    number = getattr(signal, name)
    with desk.start("commit", "mine.txt", "-m", "second") as running, told.open() as pipe:
        assert pipe.readline() == "ready\n"
        running.send_signal(number)
        assert pipe.read() == "", "all of them are gone"
        assert running.wait(60) == -number
    assert desk.git("log", "--format=%s") == "first"
    _hook(desk, "pre-commit", "true")
    assert desk("commit", "mine.txt", "-m", "second").status == 0
