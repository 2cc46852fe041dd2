"""A clone with sessions."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitbaton.app import App, init_app
from gitbaton.commons import Commons
from gitbaton.core.process import Process, find_process
from gitbaton.workspace.sessions.desk import Desk
from tests.integration.workspace.sessions.opening import git


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    top = tmp_path / "clone"
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    (top / ".gitignore").write_text("*.secret\n__pycache__/\n")
    (top / "file").write_text("one\n")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "start")
    return top


@pytest.fixture
def app(clone: Path) -> Iterator[App]:
    opened = init_app(clone, dict(os.environ), sqlite=True)[0]
    yield opened
    opened.close()


@pytest.fixture
def desk(app: App) -> Desk:
    return Commons(app).desk


@pytest.fixture
def sleeper(desk: Desk) -> Iterator[Process]:
    """A process for sessions to live as long as."""
    started = subprocess.Popen(["sleep", "600"])
    found = find_process(started.pid, origin=desk.process.origin)
    assert found is not None
    yield found
    started.kill()
    started.wait()
