"""What others have staged, edited or left lying about neither gets in nor is touched."""

from __future__ import annotations

import pytest

from gitbaton.core.errors import Refused
from tests.integration.workspace.commit.house import House


def disturb(house: House) -> None:
    """Leave everything that a sibling may leave."""
    house.write("staged.txt", "staged")
    house.git("add", "staged.txt")
    house.write("b.txt", "staged\n")
    house.git("add", "b.txt")
    house.write("b.txt", "and edited since\n")
    house.git("rm", "-q", "--cached", "d.txt")
    house.write("dir/c.txt", "dirty\n")
    house.write("untracked.txt", "u")
    house.write("wanted/later", "l")
    house.git("add", "-N", "wanted/later")


def test_dirt_neither_gets_in_nor_is_touched(house: House) -> None:
    """I3: staged stays staged and dirty stays dirty, byte for byte."""
    disturb(house)
    index, disk, flags = house.staged(), house.on_disk(), house.raw("ls-files", "-t", "-z")
    status = house.status()
    house.write("a.txt", "mine\n")
    house.commit("a.txt")
    assert house.files() == {("M", b"a.txt")}
    assert house.status() == status
    disk["a.txt"] = b"mine\n"
    assert house.on_disk() == disk
    assert house.raw("ls-files", "-t", "-z") == flags
    mine = house.git("rev-parse", "HEAD:a.txt").encode()
    kept = [line for line in house.staged().split(b"\0") if mine not in line]
    assert kept == [line for line in index.split(b"\0") if not line.endswith(b"\ta.txt")]
    house.check()


def test_a_refusal_changes_nothing(house: House) -> None:
    disturb(house)
    index, disk, head = house.staged(), house.on_disk(), house.head
    for paths in (["nowhere"], ["dir"], [], [""]):
        with pytest.raises(Refused):
            house.commit(*paths)
    assert (house.staged(), house.on_disk(), house.head) == (index, disk, head)


def test_the_index_follows_for_the_named_paths(house: House) -> None:
    """Else the next plain commit would revert ours."""
    house.write("a.txt", "mine\n")
    house.write("new.txt", "n")
    (house.top / "d.txt").unlink()
    house.commit("a.txt", "new.txt", "d.txt")
    assert house.status() == []
    assert house.git("diff-files", "--name-only") == "", "not even by the stat data"
    house.write("b.txt", "plain\n")
    house.git("commit", "-q", "-a", "-m", "plain")
    assert house.files() == {("M", b"b.txt")}


def test_an_older_version_that_was_staged_is_superseded_and_named(house: House) -> None:
    """The next plain commit must not take the path back to what was staged before."""
    house.write("a.txt", "older\n")
    house.git("add", "a.txt")
    house.write("a.txt", "newer\n")
    done = house.commit("a.txt")
    [found] = done.superseded
    assert (found.path, found.kept) == (b"a.txt", False)
    assert found.staged is not None
    assert house.raw("cat-file", "blob", found.staged.oid) == b"older\n"
    assert house.status() == []
    house.write("b.txt", "b2")
    house.git("add", "b.txt")
    house.git("commit", "-q", "-m", "plain")
    assert house.content("a.txt") == b"newer\n"


def test_a_version_that_is_staged_already_is_just_committed(house: House) -> None:
    house.write("a.txt", "same\n")
    house.write("new.txt", "n")
    house.git("add", "a.txt", "new.txt")
    assert house.commit("a.txt", "new.txt").superseded == ()
    assert house.status() == []


def test_named_and_unchanged_is_said(house: House) -> None:
    house.write("a.txt", "mine\n")
    assert house.commit("a.txt", "b.txt").unchanged == (b"b.txt",)
    with pytest.raises(Refused) as refused:
        house.commit("a.txt", "b.txt")
    assert refused.value.code == "nothing"


def test_check_moves_nothing(house: House) -> None:
    house.write("a.txt", "mine\n")
    before = house.staged(), house.head, house.status()
    done = house.commit("a.txt", check=True)
    assert (done.commit, dict(done.files)) == (None, {b"a.txt": "changed"})
    assert (house.staged(), house.head, house.status()) == before
