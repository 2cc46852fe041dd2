"""Why git finds no repository is said as git says it, and not taken for there being none."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gitbaton.core.errors import BatonError
from gitbaton.git.repository import Clone
from gitbaton.git.workingtree import WorkingTree

Find = Callable[[Path, Mapping[str, str]], object]
BOTH: list[Find] = [Clone.find, WorkingTree.find]


@pytest.fixture
def top(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path / "it's")], check=True)
    return tmp_path / "it's"


@pytest.mark.parametrize("find", BOTH)
def test_a_foreign_owner_is_named_with_the_command_of_git(top: Path, find: Find) -> None:
    env = {**os.environ, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    with pytest.raises(BatonError, match="dubious ownership in repository at") as found:
        find(top, env)
    assert found.value.next is not None
    assert found.value.next.startswith("git config --global --add safe.directory ")
    assert "add an exception" not in found.value.message
    subprocess.run(["sh", "-c", found.value.next], env=os.environ, check=True)
    find(top, env)


@pytest.mark.parametrize("find", BOTH)
@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"GIT_CONFIG_COUNT": "x"}, "bogus count in GIT_CONFIG_COUNT"),
        ({"GIT_CONFIG_PARAMETERS": "x"}, "bogus format in GIT_CONFIG_PARAMETERS"),
    ],
)
def test_a_broken_environment_is_named(
    top: Path, find: Find, extra: Mapping[str, str], reason: str
) -> None:
    with pytest.raises(BatonError, match=reason):
        find(top, {**os.environ, **extra})


@pytest.mark.parametrize("find", BOTH)
def test_a_setting_that_git_refuses_is_named(top: Path, find: Find) -> None:
    subprocess.run(["git", "config", "core.compression", "99"], cwd=top, check=True)
    with pytest.raises(BatonError, match="bad zlib compression level 99") as found:
        find(top, os.environ)
    assert found.value.next is not None and "git status" in found.value.next


def test_where_there_is_none_it_is_said(tmp_path: Path, top: Path) -> None:
    with pytest.raises(BatonError, match="not in a git repository"):
        Clone.find(tmp_path, os.environ)
    for place in (tmp_path, top / ".git"):
        with pytest.raises(BatonError, match="not in the working tree of a git repository"):
            WorkingTree.find(place, os.environ)
