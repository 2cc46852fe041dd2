"""What others stage, begin or leave about stays theirs, also where a commit comes in its way."""

from __future__ import annotations

import shutil

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import Refused
from tests.integration.workspace.commit.house import House


def test_a_file_where_somebody_staged_a_directory(house: House) -> None:
    house.write("new/inner", "theirs\n")
    house.git("add", "new/inner")
    (house.top / "new/inner").unlink()
    (house.top / "new").rmdir()
    house.write("new", "ours\n")
    staged = house.staged()
    with pytest.raises(Refused, match="somebody has staged new/inner"):
        house.commit("new")
    assert house.staged() == staged


def test_a_directory_where_somebody_staged_a_file(house: House) -> None:
    house.write("new", "theirs\n")
    house.git("add", "new")
    (house.top / "new").unlink()
    house.write("new/inner", "ours\n")
    staged = house.staged()
    with pytest.raises(Refused, match="somebody has staged new,"):
        house.commit("new/inner")
    assert house.staged() == staged


def test_what_was_staged_while_the_index_was_waited_for(house: House) -> None:
    """A long `git add` of the same file ends: its version is newer, and stays staged."""
    house.write("a.txt", "mine\n")
    git_dir = house.top / ".git"
    shutil.copy2(git_dir / "index", git_dir / "index.lock")

    class Clock(ManualClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if not (git_dir / "index.lock").exists():
                return
            house.write("a.txt", "theirs\n")
            shutil.copy2(git_dir / "index", git_dir / "longer")
            House(house.top, {"GIT_INDEX_FILE": str(git_dir / "longer")}).git("add", "a.txt")
            house.write("a.txt", "saved since\n")
            (git_dir / "longer").replace(git_dir / "index")
            (git_dir / "index.lock").unlink()

    house.commit("a.txt", clock=Clock())
    assert house.content("a.txt") == b"mine\n"
    assert house.raw("cat-file", "blob", ":a.txt") == b"theirs\n"
    assert house.status() == ["MM a.txt"]


def test_a_merge_that_began_while_hooks_ran_is_not_disturbed(house: House) -> None:
    house.git("switch", "-q", "-c", "other")
    house.write("b.txt", "other\n")
    house.plain("b.txt")
    house.git("switch", "-q", "main")
    hook = house.top / ".git/hooks/pre-commit"
    unset = "unset GIT_INDEX_FILE GIT_PREFIX"
    hook.write_text(f"#!/bin/sh\n{unset}; cd {house.top}; git merge -q --no-commit --no-ff other\n")
    hook.chmod(0o755)
    house.write("a.txt", "mine\n")
    before = house.head
    with pytest.raises(Refused, match="a merge is under way"):
        house.commit("a.txt")
    assert house.head == before
    assert house.status() == [" M a.txt", "M  b.txt"]


def test_a_repository_in_a_directory_does_not_get_in_with_it(house: House) -> None:
    house.write("dir/new", "new\n")
    house.git("init", "-q", "dir/nested")
    nested = House(house.top / "dir/nested")
    nested.write("file", "theirs\n")
    nested.plain("file")
    house.commit("dir", recursive=True)
    assert house.files() == {("A", b"dir/new")}


def test_a_commit_stands_when_post_commit_cannot_be_run(house: House) -> None:
    hook = house.top / ".git/hooks/post-commit"
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)
    house.top.with_name(f"{house.top.name}.baton").write_text("a file where checkouts would be")
    house.write("a.txt", "mine\n")
    done = house.commit("a.txt")
    assert done.commit == house.head
    assert house.files() == {("M", b"a.txt")}


def test_a_subject_longer_than_an_argument_may_be(house: House) -> None:
    house.write("a.txt", "mine\n")
    house.commit("a.txt", message="x" * 200_000)
    assert house.files() == {("M", b"a.txt")}


def test_an_author_in_a_time_zone_of_old(house: House) -> None:
    """Other tools have made such commits, and a tip like that stops nobody."""
    body = house.raw("cat-file", "commit", "HEAD").split(b"\n")
    body = [line[:-5] + b"+051800" if line.startswith(b"author ") else line for line in body]
    odd = house.git(
        "hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=b"\n".join(body)
    )
    house.git("update-ref", "HEAD", odd)
    house.write("a.txt", "mine\n")
    house.commit("a.txt")
    assert house.files() == {("M", b"a.txt")}
