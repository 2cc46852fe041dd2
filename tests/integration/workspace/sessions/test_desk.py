"""Sessions of a real clone: killed between any two steps, started at once, never losing work."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitbaton.app import App, init_app
from gitbaton.commons import Commons
from gitbaton.core.errors import GitFailed, Refused
from gitbaton.core.process import Process
from gitbaton.workspace.sessions.desk import Desk, Wish
from gitbaton.workspace.sessions.register import Register
from gitbaton.workspace.sessions.roll import OwnTree, Stage
from gitbaton.workspace.sessions.tree import SessionTrees
from tests.integration.workspace.sessions.opening import git, start


def leave(path: Path, what: str) -> None:
    if what == "changed":
        (path / "file").write_text("two\n")
    elif what == "hidden":
        git(path, "update-index", "--assume-unchanged", "file")
        (path / "file").write_text("two\n")
    elif what == "untracked":
        (path / "new").write_text("new\n")
    elif what == "staged only":
        (path / "new").write_text("new\n")
        git(path, "add", "new")
        (path / "new").unlink()
    elif what == "committed":
        (path / "new").write_text("new\n")
        git(path, "add", "new")
        git(path, "commit", "-q", "-m", f"new in {path.name}")
    elif what == "other branch":
        git(path, "checkout", "-q", "-b", "other")
        leave(path, "committed")
    elif what == "detached":
        git(path, "checkout", "-q", "--detach")
        leave(path, "committed")
    elif what == "ignored":
        (path / "key.secret").write_text("k\n")
    elif what == "nested":
        subprocess.run(["git", "init", "-q", str(path / "inner")], check=True)
    elif what == "unfinished":
        git(path, "bisect", "start")


LOSSES = {
    "changed": "not committed",
    "hidden": "not committed",
    "untracked": "not committed",
    "staged only": "staged changes",
    "committed": "neither pushed nor merged",
    "other branch": "neither pushed nor merged, on other",
    "detached": "neither pushed nor merged, on no branch",
    "ignored": "ignored files: key.secret",
    "nested": "repositories inside: inner/",
    "unfinished": "not finished",
}


def test_what_would_be_lost_keeps_the_worktree(app: App, desk: Desk, sleeper: Process) -> None:
    """I3, for each thing that a worktree can hold."""
    for number, (what, reason) in enumerate(LOSSES.items()):
        path = start(app, sleeper, f"s{number}")
        leave(path, what)
        before = sorted(p for p in path.rglob("*"))
        reasons = desk.end(f"s{number}", force=True).reasons
        assert reasons, what
        why = reasons[0]
        assert reason in why, what
        assert sorted(p for p in path.rglob("*")) == before
        assert desk.end(f"s{number}", force=False).reasons, "ended twice: judged again, and kept"
        assert desk.roll().sessions[f"s{number}"].stage is Stage.KEPT
    [first, *_] = desk.roll()
    resumed = desk.resume(first.name, sleeper)
    assert resumed.stage is Stage.ACTIVE
    git(Path(resumed.place), "checkout", "-q", "file")
    assert desk.end(first.name, force=True).reasons == ()
    assert not Path(resumed.place).exists()


def test_what_is_safe_elsewhere_goes(app: App, clone: Path, desk: Desk, sleeper: Process) -> None:
    path = start(app, sleeper, "merged")
    leave(path, "committed")
    first = git(path, "rev-parse", "HEAD")
    git(path, "commit", "-q", "--amend", "-m", "in other words")
    (path / "__pycache__").mkdir()
    (path / "__pycache__" / "x.pyc").write_text("")
    git(clone, "merge", "-q", "session/merged")
    state = desk.belongings("merged").root
    assert state.is_dir()
    assert desk.end("merged", force=True).reasons == ()
    assert not path.exists() and not state.exists()
    assert git(clone, "branch", "--list", "session/*") == ""
    assert git(clone, "worktree", "list", "--porcelain").count("worktree ") == 1
    kept = app.repository.kept()
    assert kept == {f"session/merged/{first}": first}, "the amended commit is on no branch"
    with pytest.raises(Refused):
        desk.end("merged", force=True)


# --- killed between any two steps

STEPS = ("enter", "make", "active", "ending", "judge", "removing", "remove", "gone")


def die_at(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Let this process end at ``moment``: before or after a step of a session's life."""

    def wrap(owner: type, name: str, word: Callable[..., str | None]) -> None:
        real = getattr(owner, name)

        def told(self: object, *args: object, **kwargs: object) -> object:
            step = word(*args)
            if moment == f"before {step}":
                os._exit(42)
            result = real(self, *args, **kwargs)
            if moment == f"after {step}":
                os._exit(42)
            return result

        monkeypatch.setattr(owner, name, told)

    words = {"starts": "enter", "active": "active", "ends": "ending"}
    words |= {"removing": "removing", "over": "gone"}
    wrap(Register, "change", lambda subject, _: words.get(subject.rpartition(" ")[2]))
    wrap(SessionTrees, "make", lambda _: "make")
    wrap(SessionTrees, "judge", lambda *_: "judge")
    wrap(SessionTrees, "remove", lambda _: "remove")


def test_killed_between_any_two_steps(
    app: App, clone: Path, desk: Desk, sleeper: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I4, I3: the next to come clears away what the dead left, and nothing else."""
    app.local.read()
    untouched = git(clone, "for-each-ref"), git(clone, "status", "--porcelain")
    happened = set()
    for moment in (f"{when} {step}" for step in STEPS for when in ("before", "after")):
        name = moment.replace(" ", "-")
        child = os.fork()
        if child == 0:  # a process of its own, which really ends in the middle
            try:
                die_at(monkeypatch, moment)
                own = init_app(clone, dict(os.environ), sqlite=True)[0]
                start(own, Commons(own).desk.process, name)
                Commons(own).desk.end(name, force=True)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42, moment
        if desk.roll().find(name) is not None:
            happened.add(moment)
        assert [ended.reasons for ended in desk.sweep()] in ([], [()]), moment
        assert list(desk.roll()) == [], moment
        assert (git(clone, "for-each-ref"), git(clone, "status", "--porcelain")) == untouched
        assert not any((Commons(app).place).glob("*")), moment
        assert git(clone, "worktree", "list", "--porcelain").count("worktree ") == 1, moment
        path = start(app, sleeper, name)  # the name is free again, and works
        assert (path / "file").read_text() == "one\n"
        desk.end(name, force=True)
    assert len(happened) >= 2 * len(STEPS) - 3, "nearly every kill left something to clear"


@pytest.mark.race
def test_sessions_that_start_at_once_share_the_tree_up_to_the_threshold(
    clone: Path, app: App, desk: Desk
) -> None:
    """16 processes at once: three share the tree, and thirteen get worktrees of their own."""
    crew = [os.pipe() for _ in range(2)]
    (ready, go), (hold, free) = crew
    children = []
    for number in range(16):
        child = os.fork()
        if child == 0:
            try:
                os.close(free)
                own = init_app(clone, dict(os.environ), sqlite=True)[0]
                commons = Commons(own)
                me = commons.desk.process
                commons.desk.start(Wish(owner=me, name=f"n{number}"), commons.head())
                os.write(go, b".")
                os.read(hold, 1)  # until the parent closes its end
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    os.close(go)
    with os.fdopen(ready, "rb") as done:
        assert len(done.read(16)) == 16
    roll = list(desk.roll())
    assert sorted(s.tree is None for s in roll) == [False] * 13 + [True] * 3
    assert all(s.stage is Stage.ACTIVE for s in roll)
    assert git(clone, "worktree", "list", "--porcelain").count("worktree ") == 14
    os.close(free)
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(desk.sweep()) == 16
    assert list(desk.roll()) == []
    assert git(clone, "worktree", "list", "--porcelain").count("worktree ") == 1


def test_what_somebody_else_put_in_its_place_is_left_alone(
    app: App, sleeper: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I3: a directory that appears after the plan is not ours to clear away."""
    place, real = Commons(app).place / "late", SessionTrees.make

    def make(trees: SessionTrees, tree: OwnTree) -> None:
        place.mkdir(parents=True)
        (place / "file").write_text("foreign\n")
        real(trees, tree)

    monkeypatch.setattr(SessionTrees, "make", make)
    with pytest.raises(GitFailed, match="already exists"):
        start(app, sleeper, "late")
    assert (place / "file").read_text() == "foreign\n"
    assert list(Commons(app).desk.roll()) == []
    assert git(app.clone.top, "branch", "--list", "session/*") == ""
