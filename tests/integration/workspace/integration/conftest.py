"""One remote whose branch ``main`` has a few files, and as many clones as a test wants."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.integration.workspace.integration.clones import ODD, Clones, Tree


@pytest.fixture
def clones(tmp_path: Path) -> Clones:
    """Make clones of one remote whose branch ``main`` has a few files."""
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    first = Tree(tmp_path / "first")
    subprocess.run(
        ["git", "clone", "-q", str(remote), str(first.top)], check=True, capture_output=True
    )
    names = ("a", "b", "c", "d", "e", "dir/one", "dir/two", ODD)
    for name in names:
        first.write(name, f"{name!a}\n" * 3)
    first.git("add", ".")
    first.git("commit", "-q", "-m", "start")
    first.git("push", "-q", "origin", "HEAD:main")

    def clone(name: str) -> Tree:
        made = Tree(tmp_path / name)
        subprocess.run(["git", "clone", "-q", str(remote), str(made.top)], check=True)
        return made

    return clone
