"""A session that ends takes nothing from others: not their branch, not the ground they stand on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitbaton.app import App, open_app
from gitbaton.commons import Commons
from gitbaton.core.errors import BatonError
from gitbaton.core.process import Process
from gitbaton.workspace.sessions import tree as trees
from gitbaton.workspace.sessions.desk import Desk, Wish
from gitbaton.workspace.sessions.roll import Stage
from tests.integration.workspace.sessions.opening import git, start
from tests.integration.workspace.sessions.test_desk import die_at


def test_a_branch_that_another_tree_stands_on_stays(
    app: App, clone: Path, desk: Desk, sleeper: Process, tmp_path: Path
) -> None:
    """Without it HEAD there would have no commit, and all files would be new."""
    path = start(app, sleeper, "one")
    git(path, "switch", "-q", "--detach")
    git(clone, "switch", "-q", "session/one")
    start(app, sleeper, "two")
    moved = tmp_path / "moved"
    git(clone, "worktree", "unlock", str(desk.roll().sessions["two"].place))
    git(clone, "worktree", "move", str(desk.roll().sessions["two"].place), str(moved))
    (moved / "file").write_text("at work\n")
    for name in ("one", "two"):
        assert desk.end(name, force=True).reasons == ()
    assert git(clone, "status", "--porcelain") == ""
    assert git(moved, "status", "--porcelain") == "M file"
    assert git(clone, "rev-parse", "HEAD") == git(moved, "rev-parse", "HEAD")


@pytest.mark.parametrize("moment", ["before remove", "in between"])
def test_who_came_after_a_killed_removal_loses_nothing(
    app: App, desk: Desk, sleeper: Process, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """I3: the removal of a worktree is one step, and before that step it is judged again."""
    path = start(app, sleeper, "one")
    child = os.fork()
    if not child:
        if moment == "in between":
            monkeypatch.setattr(trees, "erase", lambda p: p.exists() and os._exit(42))
        else:
            die_at(monkeypatch, moment)
        Commons(app).desk.end("one", force=True)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    assert desk.roll().sessions["one"].stage is Stage.REMOVING
    assert path.exists() == (moment == "before remove")
    path.mkdir(exist_ok=True)
    (path / "new").write_text("at work\n")
    [ended] = desk.sweep()
    assert ended.reasons
    assert (path / "new").read_text() == "at work\n"


def test_a_session_that_works_in_it_keeps_the_worktree(
    app: App, desk: Desk, sleeper: Process
) -> None:
    path = start(app, sleeper, "one")
    inner = open_app(path, dict(os.environ))
    commons = Commons(inner)
    commons.desk.start(Wish(owner=sleeper, name="two", own_tree=False), commons.head())
    assert desk.end("one", force=True).reasons == ("session two works in it",)
    commons.desk.end("two", force=True)
    inner.close()
    assert desk.end("one", force=True).reasons == ()
    assert not path.exists()


def test_one_that_cannot_be_cleared_away_holds_up_nobody(
    app: App, desk: Desk, sleeper: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(app, sleeper, "one")
    sleeper_is_gone = Commons(app).desk
    monkeypatch.setattr(Desk, "alive", lambda self, process: process.pid == os.getpid())

    def fail(path: Path) -> None:
        raise BatonError(f"cannot delete {path}: files of another user")

    monkeypatch.setattr(trees, "erase", fail)
    [ended] = sleeper_is_gone.sweep()
    assert "files of another user" in ended.reasons[0]
    monkeypatch.undo()


def test_a_submodule_that_is_put_away_keeps_the_worktree(
    app: App, clone: Path, desk: Desk, sleeper: Process, tmp_path: Path
) -> None:
    """I3: `git submodule deinit` takes its files, and its commits stay in git's own directory."""
    library = tmp_path / "library"
    git(clone, "init", "-q", str(library))
    git(library, "commit", "-q", "--allow-empty", "-m", "start")
    allow = ("-c", "protocol.file.allow=always")
    git(clone, *allow, "submodule", "--quiet", "add", str(library), "library")
    git(clone, "commit", "-q", "-m", "a library")
    path = start(app, sleeper, "one")
    git(path, *allow, "submodule", "--quiet", "update", "--init")
    git(path / "library", "commit", "-q", "--allow-empty", "-m", "only here")
    git(path, "submodule", "--quiet", "deinit", "-f", "library")
    assert desk.end("one", force=True).reasons == (
        "submodules with work that is not pushed: library",
    )
