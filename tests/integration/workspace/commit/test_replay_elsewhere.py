"""I4: a killed commit is tidied up, wherever branch, HEAD and working trees went since."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitbaton.core.errors import BatonError
from gitbaton.workspace.safecommit.journal import unfinished
from tests.integration.workspace.commit.house import House
from tests.integration.workspace.commit.test_replay import (
    FIXING,
    kill_after_the_ref_moved,
    kill_before_the_ref_moves,
    replay,
)


def test_nothing_of_it_gets_into_another_branch(house: House) -> None:
    """A sibling switched to a branch that forked before: its index and files are not ours."""
    hook = house.top / ".git/hooks/pre-commit"
    hook.write_text(FIXING)
    hook.chmod(0o755)
    house.git("branch", "other")
    house.write("a.txt", "tofix\n")
    kill_after_the_ref_moved(house, "a.txt")
    house.git("restore", "a.txt")
    house.git("switch", "-q", "other")
    before = house.on_disk()
    assert replay(house) == 1
    assert (house.status(), house.on_disk()) == ([], before)


def test_a_branch_whose_name_became_a_directory(house: House) -> None:
    house.git("switch", "-q", "-c", "topic")
    house.write("a.txt", "2")
    kill_before_the_ref_moves(house, "a.txt")
    house.git("branch", "-m", "topic", "between")
    house.git("branch", "-m", "between", "topic/one")
    house.commit("a.txt")
    assert house.content("a.txt") == b"2"
    assert replay(house) == 0


def test_a_broken_working_tree_holds_up_no_other_and_a_gone_one_is_forgotten(
    house: House, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        house.git("worktree", "add", "-q", "-b", name, str(tmp_path / name))
        tree = House(tmp_path / name)
        tree.write("a.txt", "2")
        kill_before_the_ref_moves(tree, "a.txt")
    state = house.checkout().tree.clone_state
    broken, other = unfinished(state)
    link = (broken / ".git").read_bytes()
    (broken / ".git").unlink()
    with pytest.raises(BatonError, match="not in the working tree"):
        replay(house)
    assert House(other).status() == [" M a.txt"]
    (broken / ".git").write_bytes(link)
    house.git("worktree", "remove", "--force", str(broken))
    assert replay(house) == 0
    assert list((state / "moves").iterdir()) == []
