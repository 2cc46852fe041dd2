"""Branches of phases on a real remote: only what is in the target goes, and only as it was seen."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitbaton.app import App, init_app
from gitbaton.headquarters import Headquarters
from gitbaton.tasks.model import Task
from tests.servers.site import BareRepository
from tests.unit.tasks.desk import task


def git(directory: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=directory, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path, file_remote: BareRepository) -> Path:
    """A clone with main, and a branch of each phase: one merged, one ahead, one in main's name."""
    directory = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", file_remote.url, str(directory)], check=True)
    git(directory, "checkout", "-q", "-b", "main")
    for name in ("one", "two"):
        (directory / name).write_text(name)
        git(directory, "add", name)
        git(directory, "commit", "-q", "-m", name)
    git(directory, "push", "-q", "origin", "main", "main:task/p.a", "main~1:refs/heads/task/p.b")
    git(directory, "commit", "-q", "--allow-empty", "-m", "ahead")
    git(
        directory,
        "push",
        "-q",
        "origin",
        "HEAD:refs/heads/task/p.c",
        "main~1:refs/heads/release",
        "main~1:refs/heads/task/p.d",
    )
    git(directory, "reset", "-q", "--hard", "origin/main")
    return directory


@pytest.fixture
def app(clone: Path) -> Iterator[App]:
    made, _ = init_app(clone, os.environ, remote="origin")
    yield made
    made.close()


TASKS: list[Task] = [
    task("p.a", status="done"),
    task("p.b", status="done"),
    task("p.c", status="done"),
    task("p.d", status="pending"),
    task("p.e", status="done", branch="release"),
    task("p.f", status="done", target="release"),
]


def test_what_is_merged_and_finished_goes_and_nothing_else(
    app: App, file_remote: BareRepository
) -> None:
    """I3: no commit is deleted that exists nowhere else."""
    branches = Headquarters(app).branches
    found = branches.list(TASKS)
    assert [(each.task, each.merged, each.kept) for each in found] == [
        ("p.a", True, None),
        ("p.b", True, None),
        ("p.c", False, "it is not in main"),
        ("p.d", True, "the phase is pending"),
        ("p.e", True, "results land on it"),
        ("p.f", False, "there is no such branch"),
    ]
    assert found[0].author == git(app.clone.top, "log", "-1", "--format=%an", "main")
    assert branches.prune(found) == {"task/p.a": None, "task/p.b": None}
    left = {ref for ref in file_remote.refs() if ref.startswith("refs/heads/")}
    assert {"refs/heads/main", "refs/heads/release"} <= left
    assert {"refs/heads/task/p.c", "refs/heads/task/p.d"} <= left
    assert not {"refs/heads/task/p.a", "refs/heads/task/p.b"} & left


def test_a_branch_that_moved_since_it_was_seen_stays(app: App, file_remote: BareRepository) -> None:
    """I3: the deletion is a compare-and-swap on what was seen."""
    branches = Headquarters(app).branches
    found = branches.list(TASKS[:2])
    git(app.clone.top, "commit", "-q", "--allow-empty", "-m", "more")
    git(app.clone.top, "push", "-q", "origin", "HEAD:refs/heads/task/p.a")
    fates = branches.prune(found)
    assert fates["task/p.a"] is not None and fates["task/p.b"] is None
    tip = git(app.clone.top, "rev-parse", "HEAD")
    assert file_remote.refs()["refs/heads/task/p.a"] == tip
