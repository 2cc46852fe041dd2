"""Publishing into the user's own clone: by compare-and-swap, whole or not at all."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gitbaton.core.errors import HostRefused
from gitbaton.core.ids import Oid
from gitbaton.git.repository import Clone, CoordinationRepository
from gitbaton.store.model import Branch, Move, Rescue
from gitbaton.workspace.mover import CloneMover


class Desk:
    """A clone with ``main`` checked out, and commits that exist beside it only."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        subprocess.run(["git", "init", "-q", str(directory)], check=True)
        self.git("commit", "-q", "--allow-empty", "-m", "first")
        self.clone = Clone.find(directory, os.environ)
        self.repository = CoordinationRepository.open(self.clone)
        self.mover = CloneMover(self.repository)
        self.first = Oid(self.git("rev-parse", "HEAD"))

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.directory, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, text: str, parent: Oid) -> Oid:
        """Make a commit with one file in the coordination repository, where agents work."""
        git = self.repository.git
        blob = git.run("hash-object", "-w", "--stdin", stdin=text.encode()).text
        tree = git.run("mktree", stdin=f"100644 blob {blob}\tfile\n".encode()).text
        return Oid(git.run("commit-tree", tree, "-p", parent, "-m", text).text)

    def branch(self, name: str) -> str | None:
        shown = self.clone.git.run("rev-parse", "-q", "--verify", f"refs/heads/{name}", check=False)
        return shown.text or None


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "clone")


def test_a_branch_is_made_and_moved_with_its_objects(desk: Desk) -> None:
    one, two = desk.commit("one", desk.first), desk.commit("two", desk.first)
    assert desk.mover.move([Move(Branch("work"), None, one)]) == {}
    assert desk.mover.move([Move(Branch("work"), one, two)]) == {}
    assert desk.git("show", "work:file") == "two"


def test_all_or_none_move_and_the_answer_names_what_stood_in_the_way(desk: Desk) -> None:
    one, two = desk.commit("one", desk.first), desk.commit("two", desk.first)
    desk.mover.move([Move(Branch("taken"), None, two)])
    moves = [Move(Branch("free"), None, one), Move(Branch("taken"), None, one)]
    assert desk.mover.move(moves) == {Branch("taken"): two}
    assert desk.branch("free") is None
    assert desk.mover.move([Move(Branch("gone"), one, two)]) == {Branch("gone"): None}


def test_what_is_moved_already_counts_as_moved(desk: Desk) -> None:
    """I4: a crash between the move and the commit of the record leaves exactly this."""
    one = desk.commit("one", desk.first)
    move = Move(Branch("work"), None, one)
    assert desk.mover.move([move]) == {}
    assert desk.mover.move([move, Move(Branch("more"), None, one)]) == {}
    assert desk.branch("more") == one


def test_a_clean_working_tree_follows_its_branch(desk: Desk) -> None:
    one = desk.commit("one", desk.first)
    assert desk.mover.move([Move(Branch("main"), desk.first, one)]) == {}
    assert (desk.directory / "file").read_text() == "one"
    assert desk.git("status", "--porcelain") == ""


def test_a_changed_working_tree_is_left_alone(desk: Desk) -> None:
    """I3: nobody's uncommitted work is written over."""
    one = desk.commit("one", desk.first)
    two = desk.commit("two", one)
    desk.mover.move([Move(Branch("main"), desk.first, one)])
    (desk.directory / "file").write_text("mine")
    with pytest.raises(HostRefused):
        desk.mover.move([Move(Branch("main"), one, two), Move(Branch("work"), None, two)])
    assert (desk.directory / "file").read_text() == "mine"
    assert (desk.branch("main"), desk.branch("work")) == (one, None)


def test_a_rescue_is_kept_out_of_the_users_sight(desk: Desk) -> None:
    one = desk.commit("one", desk.first)
    before = desk.git("for-each-ref")
    rescue = Rescue("task", 1, one)
    assert desk.mover.move([Move(rescue, None, one)]) == {}
    assert desk.mover.move([Move(rescue, None, one)]) == {}
    assert list(desk.repository.kept().values()) == [one]
    assert desk.git("for-each-ref") == before
