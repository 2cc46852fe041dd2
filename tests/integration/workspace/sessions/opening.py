"""Sessions of a real clone: git in it, and one that is started."""

from __future__ import annotations

import subprocess
from pathlib import Path

from gitbaton.app import App
from gitbaton.commons import Commons
from gitbaton.core.process import Process
from gitbaton.workspace.sessions.desk import Wish


def git(directory: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=directory, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def start(app: App, owner: Process, name: str) -> Path:
    commons = Commons(app)
    session = commons.desk.start(Wish(owner=owner, name=name, own_tree=True), commons.head())
    assert session.tree is not None
    return Path(session.tree.path)
