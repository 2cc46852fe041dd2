"""What a named path may be: exactly that enters, as git itself would store it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gitbaton.core.errors import Refused
from tests.integration.workspace.commit.house import House, build

ODD = (
    b"with space.txt",
    b"two\nlines.txt",
    b"-leading.txt",
    b"*.txt",
    b":(glob)x",
    b":!not.txt",
    b"[ab].txt",
    b"caf\xe9.txt",
    "größe.txt".encode(),
    b'quo"te\\.txt',
    b"tab\there",
)


def test_odd_names_are_taken_literally(house: House) -> None:
    """I8: a path is data: no pattern, no option, no encoding is read into it."""
    for path in (*ODD, b"other.txt"):
        house.write(path, b"new " + path)
    house.commit(*ODD)
    assert house.files() == {("A", path) for path in ODD}
    assert house.status() == ["?? other.txt"]
    house.write(b"*.txt", "changed")
    house.write("a.txt", "dirty")
    house.commit(b"*.txt")
    assert house.files() == {("M", b"*.txt")}


def test_removed_and_renamed_files_are_named(house: House) -> None:
    (house.top / "a.txt").rename(house.top / "z.txt")
    (house.top / "b.txt").unlink()
    (house.top / "dir/c.txt").unlink()
    house.commit("a.txt", "z.txt", "dir/c.txt")
    assert house.files() == {("D", b"a.txt"), ("A", b"z.txt"), ("D", b"dir/c.txt")}
    assert house.status() == [" D b.txt"]


def test_modes_and_links(house: House) -> None:
    (house.top / "a.txt").chmod(0o755)
    (house.top / "link").symlink_to("nowhere/at all")
    (house.top / "b.txt").unlink()
    (house.top / "b.txt").symlink_to("a.txt")
    house.commit("a.txt", "link", "b.txt")
    assert [house.mode(path) for path in ("a.txt", "link", "b.txt")] == [
        "100755",
        "120000",
        "120000",
    ]
    assert house.content("link") == b"nowhere/at all"
    assert house.status() == []


def test_modes_come_from_the_index_where_the_file_system_has_none(house: House) -> None:
    house.git("config", "core.fileMode", "false")
    house.git("update-index", "--chmod=+x", "a.txt")
    (house.top / "b.txt").chmod(0o755)
    house.write("a.txt", "a2\n")
    house.write("b.txt", "b2\n")
    house.commit("a.txt", "b.txt")
    assert [house.mode(path) for path in ("a.txt", "b.txt")] == ["100755", "100644"]
    assert house.status() == []


def test_line_ends_and_filters_are_gits(house: House) -> None:
    house.git("config", "filter.upper.clean", "tr a-z A-Z")
    house.git("config", "filter.upper.smudge", "tr A-Z a-z")
    house.write(".gitattributes", "*.up filter=upper\n*.win text eol=crlf\n")
    house.write("x.up", "shout")
    house.write("y.win", "one\r\ntwo\r\n")
    house.commit(".gitattributes", "x.up", "y.win")
    assert house.content("x.up") == b"SHOUT"
    assert house.content("y.win") == b"one\ntwo\n"
    assert house.status() == []


def test_line_ends_that_are_in_the_tip_stay(house: House) -> None:
    """With ``text=auto`` git leaves a file alone whose stored version has line ends of Windows."""
    house.write("w.txt", "one\r\n")
    house.commit("w.txt")
    house.git("config", "core.autocrlf", "input")
    house.write("w.txt", "one\r\ntwo\r\n")
    house.commit("w.txt")
    assert house.content("w.txt") == b"one\r\ntwo\r\n"


def test_a_submodule_is_committed_as_the_commit_it_stands_at(house: House, tmp_path: Path) -> None:
    inner = build(tmp_path / "inner")
    house.git("submodule", "--quiet", "add", str(inner.top), "sub")
    house.commit(".gitmodules", "sub")
    assert house.mode("sub") == "160000"
    below = House(house.top / "sub")
    below.write("new", "1")
    new = below.plain("new")
    house.write("a.txt", "dirty")
    house.commit("sub")
    assert house.git("rev-parse", "HEAD:sub") == new
    assert house.status() == [" M a.txt"]


def test_a_repository_that_is_no_submodule_is_refused(house: House) -> None:
    build(house.top / "nested")
    with pytest.raises(Refused) as refused:
        house.commit("nested")
    assert refused.value.code == "submodule"
    with pytest.raises(Refused) as refused:
        house.commit("nested/a.txt")
    assert refused.value.next == "baton -C nested commit a.txt -m MSG"


def test_a_directory_takes_all_below_it_that_git_does_not_ignore(house: House) -> None:
    house.write(".gitignore", "*.log\n")
    house.write("dir/new.txt", "n")
    house.write("dir/deep/er.txt", "e")
    house.write("dir/x.log", "l")
    (house.top / "dir/c.txt").unlink()
    house.write("a.txt", "dirty")
    with pytest.raises(Refused) as refused:
        house.commit("dir")
    assert refused.value.next == "baton commit --recursive dir -m MSG"
    house.commit("dir", recursive=True)
    assert house.files() == {("A", b"dir/new.txt"), ("A", b"dir/deep/er.txt"), ("D", b"dir/c.txt")}


def test_a_directory_that_is_gone_needs_recursive_too(house: House) -> None:
    (house.top / "dir/c.txt").unlink()
    (house.top / "dir").rmdir()
    with pytest.raises(Refused, match="--recursive"):
        house.commit("dir")
    house.commit("dir", recursive=True)
    assert house.files() == {("D", b"dir/c.txt")}


def test_a_file_takes_the_place_of_a_directory_only_if_all_is_named(house: House) -> None:
    (house.top / "dir/c.txt").unlink()
    (house.top / "dir").rmdir()
    house.write("dir", "a file now")
    with pytest.raises(Refused):
        house.commit("dir")
    house.commit("dir", "dir/c.txt", recursive=True)
    assert house.files() == {("D", b"dir/c.txt"), ("A", b"dir")}
    assert house.status() == []


def test_a_directory_takes_the_place_of_a_file_only_if_that_is_named(house: House) -> None:
    (house.top / "a.txt").unlink()
    house.write("a.txt/inner", "i")
    with pytest.raises(Refused) as refused:
        house.commit("a.txt/inner")
    assert (refused.value.code, refused.value.next) == (
        "obstacle",
        "baton commit a.txt/inner a.txt -m MSG",
    )
    house.commit("a.txt/inner", "a.txt")
    assert house.files() == {("D", b"a.txt"), ("A", b"a.txt/inner")}
    assert house.status() == []


def test_a_directory_takes_the_place_of_a_link_with_all_in_it(house: House) -> None:
    (house.top / "way").symlink_to("dir")
    house.commit("way")
    (house.top / "way").unlink()
    house.write("way/one", "1")
    house.write("way/two", "2")
    house.commit("way", recursive=True)
    assert house.files() == {("D", b"way"), ("A", b"way/one"), ("A", b"way/two")}
    assert house.status() == []


def test_a_file_takes_the_place_of_a_submodule(house: House, tmp_path: Path) -> None:
    inner = build(tmp_path / "inner")
    house.git("submodule", "--quiet", "add", str(inner.top), "sub")
    house.commit(".gitmodules", "sub")
    shutil.rmtree(house.top / "sub")
    house.write("sub", "a file now")
    house.commit("sub")
    assert house.mode("sub") == "100644"
    assert house.status() == []


def test_what_lies_beyond_a_link_is_refused(house: House, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/f").write_text("x")
    (house.top / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused, match="beyond the symbolic link"):
        house.commit("out/f")


def test_ignored_files_are_refused_as_by_git(house: House) -> None:
    house.write(".gitignore", "*.log\n")
    house.write("x.log", "l")
    with pytest.raises(Refused) as refused:
        house.commit("x.log")
    assert (refused.value.code, refused.value.next) == (
        "ignored",
        "if it shall be committed: git add -f -- x.log",
    )
    house.git("add", "-f", "x.log")
    house.commit("x.log")
    house.write("x.log", "more")
    house.commit("x.log")
    assert house.files() == {("M", b"x.log")}


def test_only_the_name_was_announced(house: House) -> None:
    """Entries of ``git add --intent-to-add``: the named one is committed, the other stays."""
    house.write("new", "n")
    house.write("also", "a")
    house.git("add", "-N", "new", "also")
    done = house.commit("new")
    assert house.files() == {("A", b"new")}
    assert done.superseded == ()
    assert house.status() == [" A also"]


def test_a_sparse_checkout_is_not_a_deletion(house: House) -> None:
    house.git("sparse-checkout", "set", "--no-cone", "/a.txt", "/d.txt")
    assert not (house.top / "dir/c.txt").exists()
    with pytest.raises(Refused) as refused:
        house.commit("dir/c.txt")
    assert refused.value.code == "sparse"
    house.write("a.txt", "a2")
    house.commit("a.txt")
    assert house.files() == {("M", b"a.txt")}
    assert house.status() == []


def test_case_that_the_file_system_does_not_tell_apart(house: House) -> None:
    house.git("config", "core.ignoreCase", "true")
    house.write("readme", "r")
    house.commit("readme")
    with pytest.raises(Refused) as refused:
        house.commit("README")
    assert "spelled differently" in refused.value.message
    (house.top / "readme").rename(house.top / "README")
    house.commit("readme", "README")
    assert house.files() == {("D", b"readme"), ("A", b"README")}


def test_from_a_linked_worktree_only_that_one_moves(house: House, tmp_path: Path) -> None:
    house.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = House(tmp_path / "side")
    before = house.head
    house.write("a.txt", "dirty in main")
    side.write("a.txt", "from side")
    side.commit("a.txt")
    assert side.git("symbolic-ref", "HEAD") == "refs/heads/side"
    assert house.head == before
    assert house.status() == [" M a.txt"]
    assert side.status() == []


def test_an_unborn_branch_gets_its_first_commit(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "new")], check=True)
    house = House(tmp_path / "new")
    house.write("x", "1")
    house.write("y", "2")
    house.git("add", "y")
    done = house.commit("x")
    assert (done.parent, done.branch) == (None, "refs/heads/main")
    assert house.files() == {("A", b"x")}
    assert house.status() == ["A  y"]
    assert house.git("reflog", "--format=%gs") == "commit (initial): work"


def test_a_detached_head_moves_by_itself(house: House) -> None:
    house.git("checkout", "-q", "--detach")
    main = house.git("rev-parse", "main")
    house.write("a.txt", "2")
    done = house.commit("a.txt")
    assert done.branch is None
    assert (house.head, house.git("rev-parse", "main")) == (done.commit, main)
    assert not (house.top / ".git/HEAD").read_text().startswith("ref:")


def test_a_repository_of_sha256(tmp_path: Path) -> None:
    house = build(tmp_path / "wide", "--object-format=sha256")
    house.write("a.txt", "2")
    (house.top / "b.txt").unlink()
    done = house.commit("a.txt", "b.txt")
    assert done.commit is not None and len(done.commit) == 64
    assert house.files() == {("M", b"a.txt"), ("D", b"b.txt")}
    assert house.status() == []


def test_many_paths_at_once(house: House) -> None:
    """More than a command line holds."""
    names = [f"many/{'x' * 200}{n}" for n in range(600)]
    for name in names:
        house.write(name, name)
    house.commit(*names)
    assert house.files() == {("A", name.encode()) for name in names}
    assert house.status() == []


def test_a_fifo_is_refused(house: House) -> None:
    os.mkfifo(house.top / "pipe")
    with pytest.raises(Refused, match="no file, link or directory"):
        house.commit("pipe")


@pytest.mark.parametrize("flag", ["skip-worktree", "assume-unchanged"])
def test_what_git_was_told_to_leave_alone_is_left_alone(house: House, flag: str) -> None:
    """A local configuration, say: it does not slip in, and keeps its mark."""
    house.write("dir/mine", "1\n")
    house.write("dir/more", "1\n")
    house.commit("dir", recursive=True)
    house.git("update-index", f"--{flag}", "dir/mine")
    marks = house.git("ls-files", "-v", "dir")
    house.write("dir/mine", "secret\n")
    with pytest.raises(Refused) as refused:
        house.commit("dir/mine")
    assert refused.value.code == "left_alone"
    assert refused.value.next == (
        f"if it shall be committed: git update-index --no-{flag} -- dir/mine"
    )
    house.write("dir/more", "2\n")
    house.commit("dir", recursive=True)
    assert house.files() == {("M", b"dir/more")}
    assert house.git("ls-files", "-v", "dir") == marks
    house.git("update-index", f"--no-{flag}", "dir/mine")
    house.commit("dir/mine")
    assert house.files() == {("M", b"dir/mine")}


def test_a_directory_that_a_sparse_checkout_has_in_part_is_committed_in_part(house: House) -> None:
    house.write("dir/in", "1\n")
    house.write("dir/out", "1\n")
    house.commit("dir", recursive=True)
    house.git("sparse-checkout", "set", "--no-cone", "/dir/in")
    house.write("dir/in", "2\n")
    house.commit("dir", recursive=True)
    assert house.files() == {("M", b"dir/in")}
    assert house.status() == []


def test_a_key_that_is_not_there_is_named(house: House) -> None:
    for name, value in (
        ("gpg.format", "ssh"),
        ("commit.gpgSign", "true"),
        ("user.signingKey", "/nowhere/key.pub"),
    ):
        house.git("config", name, value)
    house.write("a.txt", "1\n")
    with pytest.raises(Refused) as refused:
        house.commit("a.txt")
    assert refused.value.code == "not_signed"
    assert refused.value.next == "unlock the key, or git config commit.gpgSign false"
