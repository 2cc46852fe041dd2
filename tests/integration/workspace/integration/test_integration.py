"""A dirty tree that many share is brought onto its upstream, and nobody loses a byte."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gitbaton.core.errors import BatonError, Refused, RemoteUnreachable
from gitbaton.workspace.behind import read_behind
from gitbaton.workspace.integration import rebuilding
from gitbaton.workspace.safecommit.move import Move
from gitbaton.workspace.safecommit.moving import Mover
from tests.integration.workspace.integration.clones import ODD, Clones, Tree, bytes_of, kept


@pytest.mark.parametrize("how", ["rebase", "merge"])
def test_a_dirty_tree_follows_where_nobody_changed_anything(clones: Clones, how: str) -> None:
    """I3: edited, staged, deleted, untracked and ignored files stay, byte for byte."""
    theirs, ours = clones("theirs"), clones("ours")
    theirs.commit("up", a="up a\n", b="up b\n", c="up c\n", new="up new\n", ign="up\n")
    theirs.git("rm", "-q", "d", "dir/two")
    theirs.write(ODD, "up odd\n")
    theirs.git("mv", "dir/one", "moved")
    (theirs.top / "moved").chmod(0o755)
    (theirs.top / "link").symlink_to("a")
    theirs.git("add", ".")
    theirs.commit("more", e=None)
    tip = theirs.git("rev-parse", "HEAD")
    theirs.git("push", "-q")

    mine = ours.commit("mine", own="own\n")
    ours.write("b", "being edited\n")
    ours.write("c", "staged\n")
    ours.git("add", "c")
    ours.write("c", "staged, then edited\n")
    ours.write("new", "not theirs\n")
    ours.write("ign", "precious\n")
    (ours.top / ".git" / "info" / "exclude").write_text("ign\n")
    ours.write("e", "edited, deleted upstream\n")
    ours.write("stray", "untracked\n")
    staged = ours.git("ls-files", "-s", "c")

    done = ours.sync(how)
    assert done.way == how
    assert kept(done) == {
        "b": "changed",
        "c": "staged",
        "e": "changed",
        "new": "in the way",
        "ign": "in the way",
    }
    assert ours.git("ls-files", "-s", "c") == staged
    assert bytes_of(ours.top) == {
        "a": b"up a\n",
        "b": b"being edited\n",
        "c": b"staged, then edited\n",
        "new": b"not theirs\n",
        "ign": b"precious\n",
        "e": b"edited, deleted upstream\n",
        "stray": b"untracked\n",
        "own": b"own\n",
        "moved": b"'dir/one'\n" * 3,
        "link": b"a",
        ODD: b"up odd\n",
    }
    assert os.access(ours.top / "moved", os.X_OK)
    assert not (ours.top / "dir").exists()
    assert ours.git("rev-parse", "HEAD@{1}") == mine, "the old tip is in the reflog"
    assert ours.git("merge-base", "HEAD", tip) == tip
    parents = ours.git("show", "-s", "--format=%P", "HEAD").split()
    assert parents == ([tip] if how == "rebase" else [mine, tip])
    assert ours.git("status", "--porcelain", "-z").split("\0")[:-1] == [
        " M b",
        "MM c",
        " M ign",
        " M new",
        "?? e",
        "?? stray",
    ]
    assert done.updated == 7
    assert ours.sync(how).way == "nothing"
    assert set(read_behind(ours.top / ".git" / "baton")) == {os.fsencode(p) for p in kept(done)}


def test_only_what_is_new_is_applied_and_authors_stay(clones: Clones) -> None:
    theirs, ours = clones("theirs"), clones("ours")
    ours.commit("picked", a="same\n")
    theirs.git("fetch", "-q", str(ours.top))
    theirs.commit("first", b="b\n")
    theirs.git("cherry-pick", "FETCH_HEAD")
    theirs.git("push", "-q")
    ours.git("config", "i18n.commitEncoding", "iso-8859-1")
    message = ours.top / ".git" / "words"
    message.write_bytes(b"caf\xe9\n\nbody\n")
    ours.write("own", "own\n")
    ours.git("add", "own")
    ours.git("commit", "-q", "-F", str(message), "--author=A Else <a@else>", "--date=@5 +0130")
    ours.git("config", "--unset", "i18n.commitEncoding")
    ours.commit("empty on purpose")
    done = ours.sync()
    assert (done.way, done.kept) == ("rebase", ())
    shown = ours.git("log", "--format=%s|%an|%ae|%ad", "--date=raw", "origin/main..")
    assert shown.split("\n")[1] == "caf\u00e9|A Else|a@else|5 +0130"
    assert shown.count("\n") == 1, "picked is upstream already, empty was meant to be"
    assert b"encoding iso-8859-1" in subprocess.check_output(
        ["git", "cat-file", "commit", "HEAD~"], cwd=ours.top
    )
    assert ours.git("status", "--porcelain") == ""


def test_a_conflict_changes_nothing_and_names_the_way_out(clones: Clones) -> None:
    theirs, ours = clones("theirs"), clones("ours")
    theirs.commit("up", a="theirs\n", b="theirs\n")
    theirs.git("push", "-q")
    ours.commit("fits", c="ours\n")
    ours.commit("clashes", a="ours\n")
    ours.write("b", "dirty\n")
    before = ours.git("for-each-ref", "refs/heads"), ours.git("ls-files", "-s"), bytes_of(ours.top)
    for how in ("rebase", "merge"):
        with pytest.raises(Refused) as caught:
            ours.integration(how).run(publish=True)
        assert caught.value.code == "conflict"
        assert ": a; the branch stays as it is" in caught.value.message
        assert (
            ours.git("for-each-ref", "refs/heads"),
            ours.git("ls-files", "-s"),
            bytes_of(ours.top),
        ) == before
    # The way out that the message names, word for word.
    place = ours.top.parent / "merge"
    assert caught.value.next is not None
    words = caught.value.next.replace("/elsewhere", str(place)).split(";")
    first, resolve, send, tidy, again = (part.strip() for part in words)
    subprocess.run(["sh", "-c", first], cwd=ours.top, capture_output=True, check=False)
    (place / "a").write_text("both\n")
    assert (resolve, again) == ("resolve and commit", "baton sync")
    subprocess.run(["git", "commit", "-qam", "both"], cwd=place, check=True)
    subprocess.run(["sh", "-ec", send], cwd=place, check=True, capture_output=True)
    ours.git(*tidy.removeprefix("then here: git ").split())
    done = ours.sync()
    assert (done.way, kept(done)) == ("fast-forward", {"b": "changed"})
    assert (ours.read("a"), ours.read("b"), ours.read("c")) == ("both\n", "dirty\n", "ours\n")


def test_files_and_directories_change_places_and_submodules_move(clones: Clones) -> None:
    theirs, ours = clones("theirs"), clones("ours")
    theirs.git("rm", "-q", "-r", "dir", "a")
    theirs.write("dir", "a file now\n")
    theirs.write("a/deep/file", "a directory now\n")
    one = theirs.git("rev-parse", "HEAD")
    theirs.git("add", ".")
    theirs.git("update-index", "--add", "--cacheinfo", f"160000,{one},sub")
    theirs.commit("places")
    theirs.git("push", "-q")
    assert ours.sync().kept == ()
    assert (ours.read("dir"), ours.read("a/deep/file")) == ("a file now\n", "a directory now\n")
    assert (ours.top / "sub").is_dir()
    assert ours.git("status", "--porcelain") == ""
    two = theirs.git("rev-parse", "HEAD")
    theirs.git("update-index", "--cacheinfo", f"160000,{two},sub")
    theirs.git("commit", "-q", "-m", "pointer")
    theirs.git("push", "-q")
    assert ours.sync().way == "fast-forward"
    assert ours.git("ls-files", "-s", "sub").split()[1] == two
    # And back, with somebody's file in the directory that goes.
    ours.write("a/deep/note", "mine\n")
    theirs.git("rm", "-q", "-r", "a")
    theirs.write("a", "a file again\n")
    theirs.git("add", "a")
    theirs.commit("back")
    theirs.git("push", "-q")
    assert kept(ours.sync()) == {"a": "in the way"}
    assert bytes_of(ours.top)["a/deep/note"] == b"mine\n"


def test_nothing_is_written_through_a_link(clones: Clones, tmp_path: Path) -> None:
    """I8: a directory that is a link here leads nowhere."""
    theirs, ours = clones("theirs"), clones("ours")
    theirs.write("out/file", "up\n")
    theirs.git("add", ".")
    theirs.commit("up")
    theirs.git("push", "-q")
    outside = tmp_path / "outside"
    outside.mkdir()
    (ours.top / "out").symlink_to(outside)
    assert kept(ours.sync()) == {"out/file": "unsafe"}
    assert list(outside.iterdir()) == []


def test_two_clones_that_push_at_once_both_land(clones: Clones) -> None:
    """Never forced: whoever comes second brings the first one's commits in, and tries again."""
    pair = [clones("one"), clones("two")]
    children = []
    for number, tree in enumerate(pair):
        child = os.fork()
        if child == 0:
            try:
                for count in range(4):
                    tree.commit(f"{number}-{count}", **{f"file-{number}-{count}": "x\n"})
                    tree.write("a", f"dirty {number}\n")
                    done = tree.integration(seed=number).run(publish=True)
                    assert done is not None and done.pushed
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    last = clones("last")
    subjects = last.git("log", "--format=%s").split("\n")
    assert sorted(subjects) == sorted([f"{n}-{c}" for n in (0, 1) for c in range(4)] + ["start"])
    assert last.git("log", "--merges", "--format=%s") == ""
    for number, tree in enumerate(pair):
        tree.require_whole()
        assert tree.read("a") == f"dirty {number}\n"


def test_a_new_branch_is_pushed_and_then_has_an_upstream(clones: Clones) -> None:
    ours = clones("ours")
    ours.git("checkout", "-q", "-b", "topic")
    tip = ours.commit("topic", t="t\n")
    assert ours.integration().run(publish=False) is None
    assert ours.sync(publish=True).pushed
    assert ours.git("rev-parse", "topic@{upstream}") == tip
    assert ours.sync(publish=True).pushed is False, "nothing is left to push"
    ours.git("checkout", "-q", "--detach")
    assert ours.integration().run(publish=True) is None


def test_hooks_and_hosts_may_refuse(clones: Clones, tmp_path: Path) -> None:
    ours = clones("ours")
    tip = ours.commit("mine", a="mine\n")
    hook = ours.top / ".git" / "hooks" / "pre-push"
    hook.write_text("#!/bin/sh\necho not today >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(Refused, match="not today"):
        ours.integration().run(publish=True)
    hook.unlink()
    update = tmp_path / "remote.git" / "hooks" / "update"
    update.write_text("#!/bin/sh\necho never >&2\nexit 1\n")
    update.chmod(0o755)
    with pytest.raises(BatonError, match="never"):
        ours.integration().run(publish=True)
    (tmp_path / "remote.git").rename(tmp_path / "away.git")
    with pytest.raises(RemoteUnreachable):
        ours.integration().run(publish=True)
    assert ours.git("rev-parse", "HEAD") == tip


def test_killed_at_any_step_the_next_one_finishes(clones: Clones) -> None:
    """I4, I3: between branch, index and files; a sibling's plain commit never reverts upstream."""
    theirs, ours = clones("theirs"), clones("ours")
    steps = ("write", "_attempt", "_write", "_finish")
    for number, (step, when) in enumerate((s, w) for s in steps for w in ("before", "after")):
        theirs.git("pull", "-q", "--rebase")
        theirs.commit(f"up {number}", **{"a": f"up {number}\n", f"new{number}": "n\n"})
        theirs.git("push", "-q")
        ours.write("b", f"dirty {number}\n")
        child = os.fork()
        if child == 0:
            try:
                _die(step, when)
                ours.integration().run(publish=False)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42, (step, when)
        done = ours.sync()
        assert ours.read("a") == f"up {number}\n", (step, when, done)
        assert ours.read("b") == f"dirty {number}\n"
        assert ours.git("status", "--porcelain") == " M b"
        assert ours.git("rev-parse", "HEAD") == theirs.git("rev-parse", "HEAD")


def _die(step: str, when: str) -> None:
    from gitbaton.workspace.safecommit.journal import Journal

    owner = Journal if step == "write" else Mover
    real = getattr(owner, step)

    def mortal(*args: object, **kwargs: object) -> object:
        if when == "before":
            os._exit(42)
        real(*args, **kwargs)
        os._exit(42)

    setattr(owner, step, mortal)


def test_what_is_staged_while_it_runs_stays_staged(
    clones: Clones, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I3: a sibling's `git add` between the plan and the move makes it plan again."""
    theirs, ours = clones("theirs"), clones("ours")
    theirs.commit("up", a="up\n", b="up\n")
    theirs.git("push", "-q")
    real, left = Mover.advance, [1]

    def late(mover: Mover, move: Move) -> object:
        if left.pop() if left else 0:
            ours.write("a", "staged late\n")
            ours.git("add", "a")
        return real(mover, move)

    monkeypatch.setattr(Mover, "advance", late)
    done = ours.sync()
    assert kept(done) == {"a": "staged"}
    assert ours.git("show", ":a") == ours.read("a").rstrip("\n") == "staged late"
    assert ours.read("b") == "up\n"


def test_files_are_compared_and_written_as_git_does(clones: Clones) -> None:
    """Line ends, modes and links follow; what only looks different is not taken for an edit."""
    theirs, ours = clones("theirs"), clones("ours")
    theirs.commit("rules", **{".gitattributes": "*.txt text eol=crlf\n"})
    theirs.write("t.txt", "one\n")
    (theirs.top / "link").symlink_to("a")
    theirs.git("add", ".")
    theirs.commit("more")
    theirs.git("push", "-q")
    assert ours.sync().kept == ()
    assert (ours.top / "t.txt").read_bytes() == b"one\r\n"
    theirs.write("t.txt", "two\n")
    (theirs.top / "a").chmod(0o755)
    (theirs.top / "link").unlink()
    theirs.write("link", "a file now\n")
    theirs.git("add", ".")
    theirs.commit("again")
    theirs.git("push", "-q")
    os.utime(ours.top / "a")
    (ours.top / "t.txt").touch()
    assert ours.sync().kept == ()
    assert (ours.top / "t.txt").read_bytes() == b"two\r\n"
    assert os.access(ours.top / "a", os.X_OK)
    assert ours.read("link") == "a file now\n" and not (ours.top / "link").is_symlink()
    assert ours.git("status", "--porcelain") == ""


def test_an_older_git_says_what_it_cannot_do(
    clones: Clones, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = clones("theirs"), clones("ours")
    monkeypatch.setattr(rebuilding, "LEAST_GIT", (99, 0))
    theirs.commit("up", a="up\n")
    theirs.git("push", "-q")
    assert ours.sync().way == "fast-forward"
    theirs.commit("more", b="up\n")
    theirs.git("push", "-q")
    tip = ours.commit("mine", c="mine\n")
    with pytest.raises(Refused, match=r"needs git 2\.38 or newer"):
        ours.integration().run(publish=False)
    assert ours.git("rev-parse", "HEAD") == tip
    assert ours.git("status", "--porcelain") == ""


def test_a_linked_worktree_and_a_sparse_one_follow_too(clones: Clones) -> None:
    theirs, ours = clones("theirs"), clones("ours")
    ours.git("worktree", "add", "-q", "-b", "topic", str(ours.top.parent / "linked"))
    linked = Tree(ours.top.parent / "linked")
    linked.git("branch", "-q", "--set-upstream-to=origin/main")
    ours.git("sparse-checkout", "set", "--no-cone", "/*", "!/dir/")
    theirs.commit("up", **{"a": "up\n", "dir/one": "up\n"})
    theirs.git("push", "-q")
    for tree in (linked, ours):
        done = tree.integration().run(publish=False)
        assert done is not None and (done.way, done.kept) == ("fast-forward", ())
        assert tree.read("a") == "up\n"
        assert tree.git("status", "--porcelain") == ""
        assert tree.git("diff", "--cached", "--name-only") == ""
    assert linked.read("dir/one") == "up\n"
    assert ours.read("a") == "up\n"


@pytest.mark.parametrize("how", ["rebase", "merge"])
@pytest.mark.parametrize("own", [True, False])
def test_what_upstream_took_back_is_not_brought_back(
    clones: Clones, how: str, *, own: bool
) -> None:
    """A secret that was pushed, and removed by force: no clone that had it may push it again."""
    theirs, ours = clones("theirs"), clones("ours")
    before = theirs.commit("before", a="kept\n")
    theirs.commit("a secret", secret="hush\n", b="with it\n")
    theirs.git("push", "-q")
    ours.sync(how)
    assert ours.read("secret") == "hush\n"
    if own:
        ours.commit("mine", own="own\n")
    ours.write("c", "being edited\n")
    old = ours.git("rev-parse", "HEAD")
    theirs.git("reset", "-q", "--hard", before)
    theirs.commit("instead", d="instead\n")
    theirs.git("push", "-q", "--force")

    done = ours.integration(how).run(publish=True)
    assert done is not None
    assert (done.dropped, done.before) == (1, old)
    subjects = ours.git("log", "--format=%s", "-3").split("\n")
    assert subjects == [*(["mine"] if own else []), "instead", "before", "start"][:3]
    assert not (ours.top / "secret").exists()
    assert (ours.read("b"), ours.read("c")) == ("'b'\n" * 3, "being edited\n")
    assert ours.git("rev-parse", "HEAD@{1}") == old, "I3: it is in the reflog"
    assert ours.git("rev-parse", "origin/main") == ours.git("rev-parse", "HEAD")
    assert ours.sync(how).dropped == 0


def test_a_merge_on_top_of_what_upstream_took_back_is_left_to_people(clones: Clones) -> None:
    theirs, ours = clones("theirs"), clones("ours")
    theirs.commit("a secret", secret="hush\n")
    theirs.git("push", "-q")
    ours.sync()
    ours.git("checkout", "-q", "-b", "side")
    ours.commit("aside", side="x\n")
    ours.git("checkout", "-q", "main")
    ours.commit("mine", own="own\n")
    ours.git("merge", "-q", "--no-edit", "side")
    old = ours.git("rev-parse", "HEAD")
    theirs.git("reset", "-q", "--hard", "HEAD~")
    theirs.git("push", "-q", "--force")
    with pytest.raises(Refused) as refused:
        ours.sync()
    assert refused.value.code == "rewritten"
    assert ours.git("rev-parse", "HEAD") == old
