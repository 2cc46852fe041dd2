"""Lock files that nobody holds any more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitbaton.git.locks import (
    find_repository,
    find_stale_file_locks,
    find_stale_locks,
    find_stale_tree_locks,
)

NOW = 1_800_000_000.0


def lock(path: Path, *, age: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (NOW - age, NOW - age))
    return path


def test_old_locks_of_refs_are_found_and_others_are_not(tmp_path: Path) -> None:
    wanted = [
        lock(tmp_path / "packed-refs.lock", age=61),
        lock(tmp_path / "refs/baton/tasks/t1.lock", age=3600),
        lock(tmp_path / "refs/heads/main.lock", age=61),
    ]
    lock(tmp_path / "refs/heads/busy.lock", age=1)
    lock(tmp_path / "refs/heads/fine", age=3600)
    lock(tmp_path / "objects/x.lock", age=3600)
    assert find_stale_locks(tmp_path, older_than=60, now=NOW) == sorted(wanted)


def test_old_locks_of_working_trees_and_of_the_configuration(tmp_path: Path) -> None:
    wanted = [
        lock(tmp_path / "HEAD.lock", age=61),
        lock(tmp_path / "config.lock", age=61),
        lock(tmp_path / "index.lock", age=61),
        lock(tmp_path / "worktrees/one/index.lock", age=61),
    ]
    lock(tmp_path / "worktrees/two/index.lock", age=1)
    lock(tmp_path / "worktrees/two/locked", age=3600)
    assert find_stale_tree_locks(tmp_path, older_than=60, now=NOW) == sorted(wanted)


def test_old_locks_of_files_that_all_fetches_share(tmp_path: Path) -> None:
    wanted = [lock(tmp_path / "config.lock", age=61), lock(tmp_path / "shallow.lock", age=61)]
    lock(tmp_path / "index.lock", age=61)
    assert find_stale_file_locks(tmp_path, older_than=60, now=NOW) == sorted(wanted)


def test_nothing_there(tmp_path: Path) -> None:
    assert find_stale_tree_locks(tmp_path / "gone", older_than=60, now=NOW) == []
    assert find_stale_locks(tmp_path / "gone", older_than=60, now=NOW) == []


def repository(path: Path) -> Path:
    (path / "refs").mkdir(parents=True)
    (path / "HEAD").touch()
    return path


def test_addresses_on_this_machine(tmp_path: Path) -> None:
    bare = repository(tmp_path / "a b.git")
    inner = repository(tmp_path / "work" / ".git")
    for url in (str(bare), f"file://{tmp_path}/a%20b.git", "../a b.git", "../a b"):
        found = find_repository(url, tmp_path / "work")
        assert found is not None, url
        assert os.path.samefile(found, bare)
    assert find_repository(str(tmp_path / "work"), tmp_path) == inner


@pytest.mark.parametrize("url", ["https://h/r.git", "ssh://h/r", "host:r.git", "me@h:/r", "/gone"])
def test_addresses_elsewhere(url: str, tmp_path: Path) -> None:
    repository(tmp_path / "r.git")
    assert find_repository(url, tmp_path) is None
