"""Clones to run ``baton`` in: without a remote, and with one that several clones share."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.baton import Baton
from tests.servers.site import BareRepository


@pytest.fixture
def baton(tmp_path: Path) -> Baton:
    """A clone without a remote: the sqlite engine."""
    directory = tmp_path / "alone"
    subprocess.run(["git", "init", "-q", str(directory)], check=True)
    clone = Baton(directory)
    clone.commit("main", "readme", "hello\n")
    return clone


@pytest.fixture
def clones(tmp_path: Path, file_remote: BareRepository) -> Callable[[str], Baton]:
    """Make clones of one remote that has a branch ``main``."""
    made: dict[str, Baton] = {}

    def clone(name: str) -> Baton:
        directory = tmp_path / name
        subprocess.run(["git", "clone", "-q", file_remote.url, str(directory)], check=True)
        made[name] = Baton(directory)
        if len(made) == 1:
            made[name].commit("main", "readme", "hello\n")
            made[name].git("push", "-q", "origin", "main")
        return made[name]

    return clone
