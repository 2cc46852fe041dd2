"""What a sync has no room for, or cannot write, stays as it is and holds nobody up."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitbaton.core.errors import Refused
from gitbaton.git.footing import Footing
from gitbaton.git.reftransaction import RefTransaction
from gitbaton.workspace.behind import read_behind
from gitbaton.workspace.integration.catching_up import catch_up
from gitbaton.workspace.safecommit.moving import Mover
from tests.integration.workspace.commit.house import House
from tests.integration.workspace.commit.victim import run_until_call
from tests.integration.workspace.integration.clones import ODD, Clones, bytes_of, kept


@pytest.mark.parametrize(("staged", "upstream"), [("new/inner", "new"), ("new", "new/inner")])
def test_what_is_staged_where_something_else_comes_stays_staged(
    clones: Clones, staged: str, upstream: str
) -> None:
    theirs, ours = clones("theirs"), clones("ours")
    theirs.commit("up", **{upstream: "up\n", "a": "up\n"})
    theirs.git("push", "-q")
    ours.write(staged, "mine\n")
    ours.git("add", staged)
    before = ours.git("ls-files", "-s", staged)
    done = ours.sync()
    assert kept(done) == {upstream: "staged"}
    assert ours.git("ls-files", "-s", staged) == before
    assert (ours.read(staged), ours.read("a")) == ("mine\n", "up\n")


def test_a_file_that_git_cannot_give_out_holds_nothing_up(clones: Clones) -> None:
    """I4: LFS whose server is away. The others follow, and the next commit works."""
    theirs, ours = clones("theirs"), clones("ours")
    theirs.commit("rules", **{".gitattributes": "*.bin filter=far\n"})
    theirs.git("push", "-q")
    ours.sync()
    for name, value in (("clean", "cat"), ("smudge", "false"), ("required", "true")):
        ours.git("config", f"filter.far.{name}", value)
    theirs.commit("up", **{"x.bin": "up\n", "y.bin": "up\n", "a": "up\n", "z": "up\n"})
    theirs.git("push", "-q")
    done = ours.sync()
    assert kept(done) == {"x.bin": "unsafe", "y.bin": "unsafe"}
    assert (ours.read("a"), ours.read("z")) == ("up\n", "up\n")
    house = House(ours.top)
    house.write("own", "1")
    house.commit("own")
    assert house.files() == {("A", b"own")}


def test_a_file_that_somebody_took_out_of_the_index_is_theirs(clones: Clones) -> None:
    """I3: `git rm --cached` keeps the file on disk, also if upstream removes it."""
    theirs, ours = clones("theirs"), clones("ours")
    ours.git("rm", "-q", "--cached", "a")
    before = bytes_of(ours.top)
    theirs.commit("up", a=None)
    theirs.git("push", "-q")
    ours.sync()
    assert bytes_of(ours.top) == before


@pytest.mark.parametrize(("owner", "step"), [(RefTransaction, "commit"), (Mover, "_finish")])
def test_after_a_killed_sync_no_file_is_taken_for_one_that_stayed_behind(
    clones: Clones, owner: type, step: str
) -> None:
    """I4: whether the branch had moved or not, the next commit of a file that followed works."""
    theirs, ours = clones("theirs"), clones("ours")
    theirs.commit("up", a="up\n", b="up\n")
    theirs.git("push", "-q")
    ours.write("b", "mine\n")
    assert run_until_call(lambda: ours.sync(), owner, step)
    house = House(ours.top)
    has_moved = owner is Mover
    house.write("own", "1")
    house.commit("own")
    assert ours.read("a") == ("up\n" if has_moved else "'a'\n" * 3)
    house.write("a", "further\n")
    house.commit("a")
    assert house.files() == {("M", b"a")}
    assert list(read_behind(ours.top / ".git" / "baton")) == ([b"b"] if has_moved else [])


def test_nothing_is_merged_or_made_beyond_a_link(clones: Clones, tmp_path: Path) -> None:
    theirs, ours = clones("theirs"), clones("ours")
    theirs.commit("up", **{"dir/one": "up\n"})
    module = f"160000,{theirs.git('rev-parse', 'HEAD')},dir/module"
    theirs.git("update-index", "--add", "--cacheinfo", module)
    theirs.git("commit", "-q", "-m", "a submodule")
    theirs.git("push", "-q")
    outside = tmp_path / "outside"
    (ours.top / "dir").rename(outside)
    before = bytes_of(outside)
    (ours.top / "dir").symlink_to(outside)
    ours.sync()
    assert [one.fate for one in catch_up(ours.integration().tree, [b"dir/one"], [])] == ["by hand"]
    assert bytes_of(outside) == before
    assert not (outside / "module").exists()


def test_a_local_version_that_is_marked_keeps_its_mark(clones: Clones) -> None:
    """I3: else the next plain `git commit -a` would commit somebody's local configuration."""
    theirs, ours = clones("theirs"), clones("ours")
    ours.git("update-index", "--skip-worktree", "a")
    ours.git("update-index", "--assume-unchanged", "e")
    ours.git("update-index", "--skip-worktree", "d")
    ours.git("update-index", "--assume-unchanged", "d")
    ours.write("a", "local\n")
    theirs.commit("up", a="up\n", b="up\n", d="up\n", e="up\n")
    theirs.git("push", "-q")
    done = ours.sync()
    assert kept(done) == {"a": "changed"}
    assert (ours.read("a"), ours.read("e")) == ("local\n", "up\n")
    marks = ours.git("ls-files", "-v", "a", "b", "d", "e").split("\n")
    assert marks == ["S a", "H b", "s d", "h e"]
    assert ours.git("status", "--porcelain") == ""


def test_a_sparse_checkout_stays_sparse(clones: Clones) -> None:
    theirs, ours = clones("theirs"), clones("ours")
    theirs.commit("up", **{"out/old": "1\n", "dir/in": "1\n"})
    theirs.git("push", "-q")
    ours.sync()
    ours.git("sparse-checkout", "set", "dir")
    theirs.commit("more", **{"out/old": "2\n", "out/new": "2\n", "dir/in": "2\n", "dir/new": "2\n"})
    theirs.git("push", "-q")
    assert kept(ours.sync()) == {}
    assert not (ours.top / "out").exists()
    assert (ours.read("dir/in"), ours.read("dir/new")) == ("2\n", "2\n")
    assert ours.git("status", "--porcelain") == ""
    assert ours.git("diff", "--cached", "--name-only") == ""


@pytest.mark.parametrize("kept_in", ["dir", "out"])
def test_a_sparse_index_stays_in_order(clones: Clones, kept_in: str) -> None:
    """A directory that is one entry of the index, and is the last one or is not."""
    theirs, ours = clones("theirs"), clones("ours")
    theirs.commit("up", **{"out/x": "1\n", "dir/x": "1\n"})
    theirs.git("push", "-q")
    ours.sync()
    ours.git("rm", "-q", "--cached", ODD)  # it sorts behind: `out/` shall be the last
    ours.git("commit", "-q", "-m", "without")
    ours.git("push", "-q")
    ours.git("sparse-checkout", "set", "--cone", "--sparse-index", kept_in)
    theirs.git("pull", "-q", "--rebase")
    theirs.commit("more", **{"out/x": "2\n", "out/new": "2\n", "dir/x": "2\n", "dir/new": "2\n"})
    theirs.git("push", "-q")
    assert kept(ours.sync()) == {}
    tree = ours.git("ls-tree", "-r", "--name-only", "HEAD").split("\n")
    assert ours.git("ls-files").split("\n") == tree
    assert ours.git("write-tree") == ours.git("rev-parse", "HEAD^{tree}")
    assert ours.git("diff", "--cached", "--name-only") == ""
    ours.commit("plain", a="mine\n")
    ours.require_whole()
    house = House(ours.top)
    house.write("b", "mine\n")
    house.commit("b")
    assert house.files() == {("M", b"b")}
    house.check()


@pytest.mark.parametrize(("step", "path"), [("link", "dir/new"), ("replace", "dir/one")])
def test_what_a_killed_sync_left_beside_a_file_is_swept(
    clones: Clones, step: str, path: str
) -> None:
    """I4: else the next `git add .` of a sibling would take it in. What the index has stays."""
    theirs, ours = clones("theirs"), clones("ours")
    ours.commit("ours", **{"dir/.baton-0123456789ab": "somebody's\n"})
    ours.sync(publish=True)
    theirs.git("pull", "-q")
    theirs.commit("up", **{path: "up\n"})
    theirs.git("push", "-q")
    assert run_until_call(lambda: ours.integration().run(publish=False), Footing, step)
    beside = [file.read_text() for file in (ours.top / "dir").glob(".baton-*")]
    assert sorted(beside) == ["somebody's\n", "up\n"]
    ours.sync()
    assert ours.read(path) == "up\n"
    assert ours.git("status", "--porcelain") == ""


def test_a_mirror_is_named_as_what_it_is(clones: Clones) -> None:
    ours = clones("ours")
    ours.commit("own", own="own\n")
    ours.git("config", "remote.origin.mirror", "true")
    with pytest.raises(Refused, match="mirror") as refused:
        ours.sync(publish=True)
    assert refused.value.next is not None and "--unset remote.origin.mirror" in refused.value.next
