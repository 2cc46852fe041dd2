"""I4: what a killed commit had begun is taken back, or finished, by whoever comes next."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gitbaton.checkout import replay_unfinished
from gitbaton.cli.commit.report import document
from gitbaton.core.clock import SystemClock
from gitbaton.git.reftransaction import RefTransaction
from gitbaton.workspace.safecommit.hindrance import IndexBusy
from gitbaton.workspace.safecommit.journal import Journal
from gitbaton.workspace.safecommit.moving import Mover
from tests.integration.workspace.commit.house import House, build
from tests.integration.workspace.commit.victim import run_until_call

FIXING = "#!/bin/sh\nsed -i s/tofix/fixed/ a.txt\n"


def replay(house: House) -> int:
    """Do what any command does that opens the clone."""
    state = house.checkout().tree.clone_state
    return replay_unfinished(state, house.environment(), clock=SystemClock())


def kill_before_the_ref_moves(house: House, *paths: str, amend: bool = False) -> None:
    """Kill a commit when its index is written and its branch is not moved."""
    assert run_until_call(lambda: house.commit(*paths, amend=amend), RefTransaction, "commit")


def kill_after_the_ref_moved(house: House, *paths: str) -> None:
    """Kill a commit when its branch has moved."""
    assert run_until_call(lambda: house.commit(*paths), Mover, "_finish")


def test_an_unborn_branch(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "new")], check=True)
    house = House(tmp_path / "new")
    house.write("x", "1")
    kill_before_the_ref_moves(house, "x")
    assert house.status() == ["A  x"]
    assert replay(house) == 1
    assert house.status() == ["?? x"]
    house.commit("x")
    assert house.files() == {("A", b"x")}
    assert replay(house) == 0


def test_a_detached_head(house: House) -> None:
    house.git("checkout", "-q", "--detach")
    house.write("a.txt", "2")
    (house.top / "b.txt").unlink()
    kill_before_the_ref_moves(house, "a.txt", "b.txt")
    assert house.status() == ["M  a.txt", "D  b.txt"]
    assert replay(house) == 1
    assert house.status() == [" M a.txt", " D b.txt"]


def test_an_amended_commit(house: House) -> None:
    house.write("a.txt", "2")
    house.commit("a.txt")
    before = house.head
    house.write("b.txt", "2")
    kill_before_the_ref_moves(house, "b.txt", amend=True)
    assert replay(house) == 1
    assert (house.head, house.status()) == (before, [" M b.txt"])


def test_what_somebody_staged_since_stays(house: House) -> None:
    house.write("a.txt", "2")
    house.write("b.txt", "2")
    kill_before_the_ref_moves(house, "a.txt", "b.txt")
    house.write("a.txt", "3")
    house.git("add", "a.txt")
    assert replay(house) == 1
    assert house.status() == ["M  a.txt", " M b.txt"]
    assert house.raw("cat-file", "blob", ":a.txt") == b"3"


def test_what_a_sibling_committed_since_stays(house: House) -> None:
    house.write("a.txt", "2")
    kill_before_the_ref_moves(house, "a.txt")
    house.git("commit", "-q", "-m", "a plain commit takes in what is staged")
    assert replay(house) == 1
    assert house.status() == []
    assert house.content("a.txt") == b"2"


def test_a_move_that_was_made_and_undone_is_left_alone(house: House) -> None:
    house.write("a.txt", "2")
    kill_after_the_ref_moved(house, "a.txt")
    house.git("reset", "-q", "--soft", "HEAD~1")
    assert replay(house) == 1
    assert house.status() == ["M  a.txt"]


def test_fixes_of_hooks_reach_the_files_all_the_same(house: House) -> None:
    hook = house.top / ".git/hooks/pre-commit"
    hook.write_text(FIXING)
    hook.chmod(0o755)
    house.write("a.txt", "tofix\n")
    kill_after_the_ref_moved(house, "a.txt")
    assert house.content("a.txt") == b"fixed\n"
    assert house.status() == [" M a.txt"]
    assert replay(house) == 1
    assert house.on_disk()["a.txt"] == b"fixed\n"
    assert house.status() == []


def test_but_not_over_somebodys_edit(house: House) -> None:
    hook = house.top / ".git/hooks/pre-commit"
    hook.write_text(FIXING)
    hook.chmod(0o755)
    house.write("a.txt", "tofix\n")
    kill_after_the_ref_moved(house, "a.txt")
    house.write("a.txt", "edited since\n")
    assert replay(house) == 1
    assert house.on_disk()["a.txt"] == b"edited since\n"


def test_a_held_index_leaves_it_to_the_next(house: House) -> None:
    house.write("a.txt", "2")
    kill_before_the_ref_moves(house, "a.txt")
    (house.top / ".git/index.lock").touch()
    with pytest.raises(IndexBusy):
        replay(house)
    (house.top / ".git/index.lock").unlink()
    assert replay(house) == 1
    assert house.status() == [" M a.txt"]


def test_linked_worktrees_are_looked_after_too(house: House, tmp_path: Path) -> None:
    house.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = House(tmp_path / "side")
    side.write("a.txt", "2")
    kill_before_the_ref_moves(side, "a.txt")
    assert replay(house) == 1, "a command in one working tree finishes it in the other"
    assert side.status() == [" M a.txt"]


def test_names_that_are_no_text(tmp_path: Path) -> None:
    house = build(tmp_path / os.fsdecode(b"caf\xe9"))
    house.git("switch", "-q", "-c", os.fsdecode(b"br\xe9"))
    house.write(b"n\xe9", "1")
    kill_before_the_ref_moves(house, os.fsdecode(b"n\xe9"))
    assert len(house.status()) == 1
    assert replay(house) == 1
    done = house.commit(b"n\xe9")
    assert house.files() == {("A", b"n\xe9")}
    assert document(done)["branch"] == '"br\\351"', "as git quotes it"


def test_a_torn_journal_counts_as_none(house: House) -> None:
    journal = Journal(house.checkout().tree)
    journal.path.parent.mkdir(parents=True)
    journal.path.write_bytes(b'{"top": "/x", "mo')
    assert replay(house) == 0
    house.write("a.txt", "2")
    house.commit("a.txt")
    assert not journal.path.exists()
