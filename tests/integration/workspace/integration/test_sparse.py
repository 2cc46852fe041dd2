"""A sync in a sparse checkout: it stays sparse, and what stands where nothing is to be stays."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gitbaton.core.errors import GitFailed
from gitbaton.git.entries import Entry
from gitbaton.git.sharedindex import IndexLocked
from gitbaton.workspace.behind import write_behind
from gitbaton.workspace.integration import integration
from gitbaton.workspace.safecommit import marks, moving
from gitbaton.workspace.safecommit.moving import Mover
from tests.integration.chaos.seeds import generator
from tests.integration.workspace.commit.house import House
from tests.integration.workspace.commit.victim import run_until_call, run_until_step
from tests.integration.workspace.integration.clones import ODD, Clones, Tree, bytes_of, kept
from tests.integration.workspace.integration.test_storm import settle

CONE = ("--cone", "dir")
PATTERNS = ("--no-cone", "/*", "!/out/", "!/far/")
BOTH = pytest.mark.parametrize("patterns", [CONE, PATTERNS], ids=["cone", "patterns"])


def set_out(clones: Clones, *patterns: str) -> tuple[Tree, Tree]:
    """Return a clone that pushes, and one that leaves out ``out/`` and ``far/``."""
    theirs, ours = clones("theirs"), clones("ours")
    files = dict.fromkeys(("out/f", "out/old", "far/f", "dir/in"), "1\n")
    theirs.commit("up", **files, **{".gitignore": ".env\nbuild/\n"})
    theirs.git("push", "-q")
    ours.sync()
    ours.git("sparse-checkout", "set", *patterns)
    assert not (ours.top / "out").exists()
    return theirs, ours


def publish(theirs: Tree, **files: str | None) -> None:
    theirs.git("pull", "-q", "--rebase")
    theirs.commit("more", **files)
    theirs.git("push", "-q")


def tags(tree: Tree, *paths: str) -> list[str]:
    """Return the entries at ``paths`` with their marks: git-ls-files(1), -v."""
    return tree.git("ls-files", "-v", "--", *paths).split("\n")


@BOTH
@pytest.mark.parametrize("way", ["sync", "commit --push"])
def test_what_stands_where_nothing_is_to_be_stays(
    clones: Clones, patterns: tuple[str, ...], way: str
) -> None:
    """I3: ignored files, untracked ones, and a tracked one that somebody has laid out there."""
    theirs, ours = set_out(clones, *patterns)
    for path in ("out/.env", "out/build/o", "far/note"):
        ours.write(path, "somebody's\n")
    ours.git("checkout", "--ignore-skip-worktree-bits", "--", "out/f")
    (ours.top / "out/empty").mkdir()
    before = [bytes_of(ours.top / name) for name in ("out", "far")]
    new = {"dir/in": "2\n", "dir/new": "2\n", "out/old": "2\n", "out/new": "2\n", "out/n/n": "2\n"}
    publish(theirs, **new)
    if way == "commit --push":
        house = House(ours.top)
        house.write("dir/z", "mine\n")
        house.commit("dir/z")
    done = ours.sync(publish=way == "commit --push")
    assert (done.pushed, kept(done)) == (way == "commit --push", {})
    assert [bytes_of(ours.top / name) for name in ("out", "far")] == before
    assert (ours.top / "out/empty").is_dir()
    assert (ours.read("dir/in"), ours.read("dir/new")) == ("2\n", "2\n")
    assert ours.git("status", "--porcelain") == "?? far/note"
    assert ours.git("diff", "--cached", "--name-only") == ""
    assert tags(ours, "out/new", "out/n", "out/old") == ["S out/n/n", "S out/new", "S out/old"]


@BOTH
def test_what_somebody_laid_out_follows_as_anywhere_else(
    clones: Clones, patterns: tuple[str, ...]
) -> None:
    """I3: a clean one follows, an edited one stays, and so does what is in the way."""
    theirs, ours = set_out(clones, *patterns)
    ours.write("out/f", "1\n")
    ours.write("out/old", "edited\n")
    ours.write("out/new", "somebody's\n")
    publish(theirs, **{"out/f": "2\n", "out/old": "2\n", "out/new": "2\n"})
    assert kept(ours.sync()) == {"out/old": "changed", "out/new": "in the way"}
    files = {"f": b"2\n", "old": b"edited\n", "new": b"somebody's\n"}
    assert bytes_of(ours.top / "out") == files
    assert ours.git("diff", "--name-only").split("\n") == ["out/new", "out/old"]


@pytest.mark.parametrize(
    "patterns",
    [
        ("--cone", "dir/deep/er", "odd x"),
        ("--cone",),
        ("--no-cone", "/*", "!/*/", "/dir/"),
        ("--no-cone", "*.txt", "!/dir/deep/**", "module/"),
    ],
    ids=" ".join,
)
def test_what_is_new_is_left_out_as_git_leaves_it_out(
    clones: Clones, patterns: tuple[str, ...]
) -> None:
    """The oracle: a clone with the same patterns, and a plain pull."""
    theirs, ours, twin = clones("theirs"), clones("ours"), clones("twin")
    for tree in (ours, twin):
        tree.git("sparse-checkout", "set", *patterns)
    paths = ("top", "dir/in.txt", "dir/deep/in", "dir/deep/er/in", "dir/deep/est/in", "odd x/in")
    more = ("odd [x]/in.txt", f"out/{ODD}", "out/\\*", 'out/a"b', "dir/one")
    module = f"160000,{theirs.git('rev-parse', 'HEAD')},module"
    theirs.git("update-index", "--add", "--cacheinfo", module)
    publish(theirs, **dict.fromkeys((*paths, *more), "new\n"), a=None)
    ours.sync()
    twin.git("pull", "-q", "--ff-only")
    assert ours.git("ls-files", "-z", "-v", "-s") == twin.git("ls-files", "-z", "-v", "-s")
    assert bytes_of(ours.top) == bytes_of(twin.top)
    assert (ours.top / "module").exists() == (twin.top / "module").exists()
    assert ours.git("status", "--porcelain") == ""


def test_a_sync_that_is_killed_before_the_marks_is_taken_back(clones: Clones) -> None:
    """I4: the branch has not moved, and what was left out is so again."""
    theirs, ours = set_out(clones, *CONE)
    publish(theirs, **{"out/old": "2\n", "out/new": "2\n", "dir/in": "2\n"})
    assert run_until_call(ours.sync, marks, "mark_staged")
    assert tags(ours, "out/new", "out/old") == ["H out/new", "H out/old"]
    house = House(ours.top)
    house.write("own", "1")
    house.commit("own")
    assert tags(ours, "out") == ["S out/f", "S out/old"]
    assert ours.git("status", "--porcelain") == ""
    assert kept(ours.sync()) == {}
    assert tags(ours, "out/new", "out/old") == ["S out/new", "S out/old"]
    assert ours.git("status", "--porcelain") == ""


@pytest.mark.parametrize("wanted", [False, True])
def test_marks_that_are_missing_after_a_kill_are_given_by_the_next_command(
    clones: Clones, monkeypatch: pytest.MonkeyPatch, *, wanted: bool
) -> None:
    """I4: the branch has moved; without its mark a file that is not there looks deleted."""
    theirs, ours = set_out(clones, *CONE)
    publish(theirs, **{"out/old": "2\n", "out/new": "2\n", "dir/in": "2\n"})
    with monkeypatch.context() as patch:
        patch.setattr(moving, "give_marks", locked)
        assert run_until_call(ours.sync, Mover, "_finish")
    assert ours.git("status", "--porcelain", "out").split("\n") == [" D out/new", " D out/old"]
    if wanted:  # whoever lays it out meanwhile, and leaves nothing out any more, goes on to see it
        ours.git("sparse-checkout", "disable")
        ours.git("checkout", "--", "out/new")
    house = House(ours.top)
    house.write("own", "1")
    house.commit("own")
    assert ours.git("status", "--porcelain") == ""
    assert tags(ours, "out/new", "out/old") == ["H out/new" if wanted else "S out/new", "S out/old"]
    assert (ours.top / "out/new").exists() == wanted
    assert ours.read("dir/in") == "2\n"


STEPS = 90  # at least: before and after everything that a sync of this scene does


def test_a_kill_at_any_step_leaves_a_sparse_checkout_that_the_next_one_makes_whole(
    clones: Clones, tmp_path: Path
) -> None:
    """I3, I4."""
    lay_the_scene(clones)
    for step in generator(0).sample(range(STEPS), 2):
        kill_at(step, tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_kill_at_every_step_leaves_a_sparse_checkout_that_the_next_one_makes_whole(
    clones: Clones, tmp_path: Path
) -> None:
    """I3, I4."""
    lay_the_scene(clones)
    steps = 0
    while kill_at(steps, tmp_path):
        steps += 1
    assert steps >= STEPS


def lay_the_scene(clones: Clones) -> None:
    """Let ``ours`` have something of everything outside, and upstream something new everywhere."""
    theirs, ours = set_out(clones, *CONE)
    for path in ("out/.env", "out/build/o", "far/note"):
        ours.write(path, "somebody's\n")
    ours.git("checkout", "--ignore-skip-worktree-bits", "--", "out/f")
    ours.write("own", "1")
    new = {"dir/in": "2\n", "dir/new": "2\n", "out/new": "2\n", "out/old": "2\n"}
    publish(theirs, **new, **{"far/f": None, "far/g": "2\n"})


def kill_at(step: int, place: Path) -> bool:
    """Kill a sync in a copy of ``ours`` at ``step`` and go on; return whether it was killed."""
    ours = Tree(place / f"killed-{step}")
    subprocess.run(["cp", "-a", place / "ours", ours.top], check=True)
    outside = [bytes_of(ours.top / name) for name in ("out", "far")]
    killed = run_until_step(lambda: ours.integration().run(publish=False), step)
    settle(ours)
    house = House(ours.top)
    house.commit("own")
    assert ours.git("status", "--porcelain") == "?? far/note", step
    house.check()
    assert kept(ours.sync()) == {}
    assert [bytes_of(ours.top / name) for name in ("out", "far")] == outside, step
    assert (ours.read("dir/in"), ours.read("dir/new")) == ("2\n", "2\n")
    assert tags(ours, "out/new", "out/old", "far") == ["S far/g", "S out/new", "S out/old"], step
    assert ours.git("status", "--porcelain") == "?? far/note", step
    shutil.rmtree(ours.top)
    return killed


def locked(*_args: object, **_options: object) -> None:
    raise IndexLocked(["git", "update-index"], 128, "File exists")


def test_a_git_that_comes_between_entries_and_marks_takes_no_marks_away(
    clones: Clones, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = set_out(clones, *CONE)
    publish(theirs, **{"out/old": "2\n", "out/new": "2\n"})
    came = []

    def first(*_args: object, **_options: object) -> None:
        came.append(1)
        monkeypatch.setattr(moving, "give_marks", marks.give_marks)
        locked()

    monkeypatch.setattr(moving, "give_marks", first)
    ours.sync()
    assert came
    assert tags(ours, "out/new", "out/old") == ["S out/new", "S out/old"]
    assert ours.git("status", "--porcelain") == ""


def test_who_lays_out_a_directory_meanwhile_gets_what_is_new(
    clones: Clones, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between plan and move: then another plan is made, and the file is brought along."""
    theirs, ours = set_out(clones, *CONE)
    publish(theirs, **{"out/old": "2\n"})

    def lay_out(state: Path, bases: dict[bytes, Entry | None]) -> None:
        monkeypatch.setattr(integration, "write_behind", write_behind)
        ours.git("sparse-checkout", "add", "out")
        write_behind(state, bases)

    monkeypatch.setattr(integration, "write_behind", lay_out)
    assert kept(ours.sync()) == {}
    assert (ours.read("out/f"), ours.read("out/old")) == ("1\n", "2\n")
    assert ours.git("status", "--porcelain") == ""


def test_a_git_that_cannot_say_what_is_left_out_moves_nothing(clones: Clones) -> None:
    theirs, ours = set_out(clones, *CONE)
    publish(theirs, **{"out/new": "2\n", "dir/in": "2\n"})
    before = ours.git("rev-parse", "HEAD")
    sync = ours.integration()
    ours.git("sparse-checkout", "disable")
    with pytest.raises(GitFailed, match="sparse-checkout"):
        sync.run(publish=False)
    assert ours.git("rev-parse", "HEAD") == before
    assert ours.git("status", "--porcelain") == ""
    assert kept(ours.sync()) == {}
    assert ours.read("out/new") == "2\n"


def test_no_hook_of_gits_runs_for_an_index_of_our_own(clones: Clones, tmp_path: Path) -> None:
    """A sync makes two: to ask what is left out, and to compare what is on disk."""
    theirs, ours = set_out(clones, *CONE)
    publish(theirs, **{"out/new": "2\n", "dir/in": "2\n"})
    hook, log = ours.top / ".git/hooks/post-index-change", tmp_path / "log"
    hook.write_text(f'#!/bin/sh\necho "<$GIT_INDEX_FILE>" >> {log}\n')
    hook.chmod(0o755)
    ours.sync()
    assert set(log.read_text().split()) == {"<>"}  # git's own refresh, of everybody's index


def test_a_linked_worktree_has_patterns_of_its_own(clones: Clones, tmp_path: Path) -> None:
    theirs, ours = set_out(clones, *CONE)
    linked = Tree(tmp_path / "linked")
    ours.git("worktree", "add", "-q", "-b", "topic", str(linked.top))
    linked.git("branch", "-q", "--set-upstream-to=origin/main")
    linked.git("sparse-checkout", "set", "out")
    publish(theirs, **{"out/new": "2\n", "dir/new": "2\n"})
    for tree, here, out in ((ours, "dir/new", "out/new"), (linked, "out/new", "dir/new")):
        tree.integration().run(publish=False)
        assert tree.read(here) == "2\n"
        assert tags(tree, here, out) == sorted((f"H {here}", f"S {out}"), key=lambda tag: tag[2:])
        assert tree.git("status", "--porcelain") == ""
