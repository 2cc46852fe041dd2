"""A clone that a group shares (core.sharedRepository): nothing in it is one user's alone."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.baton import Baton


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Baton]:
    """A clone that is shared with a group, of a user who shares nothing by habit."""
    before = os.umask(0o077)
    try:
        top = tmp_path / "house"
        subprocess.run(["git", "init", "-q", "--shared=group", str(top)], check=True)
        baton = Baton(top)
        baton.commit("main", "a.txt", "a\n")
        yield baton
    finally:
        os.umask(before)


def modes(directory: Path) -> dict[str, int]:
    """Return the permissions of all that is below ``directory``."""
    return {
        str(path.relative_to(directory)): stat.S_IMODE(path.lstat().st_mode)
        for path in directory.rglob("*")
        if not path.is_symlink()
    }


def test_what_is_made_in_it_is_the_groups(clone: Baton) -> None:
    """Another user of the group can take the locks, read what is there, and go on."""
    top = clone.directory
    hook = top / ".git/hooks/pre-commit"
    hook.write_text(f"#!/bin/sh\numask >{top}.umask\n")
    hook.chmod(0o775)
    many = [f"f{number}" for number in range(15)]  # enough for a pack
    for name in many:
        (top / name).write_text(f"{name}\n")
    clone.ok("init", "--sqlite")
    clone.ok("add", "T", "--id", "t1")
    clone.ok("claim", "t1")
    clone.ok("commit", *many, "-m", "many")
    clone("session", "exec", "--", "sh", "-c", f"umask >>{top}.umask")
    made = modes(top / ".git" / "baton") | modes(top / ".git" / "objects")
    assert {"commit.lock", "local.sqlite", "settings.json", "commits.jsonl"} <= made.keys()
    wanted = {0o770, 0o2770, 0o660, 0o440}  # the last: objects never change
    strays = {name: oct(mode) for name, mode in made.items() if mode & 0o7770 not in wanted}
    # What a session has for itself holds credentials.
    assert {name for name in strays if not name.startswith("sessions/")} == set()
    beside = top.with_name("house.baton")
    assert stat.S_IMODE(beside.stat().st_mode) & 0o070 == 0o070
    assert Path(f"{top}.umask").read_text().split() == ["0077", "0077"], "others' programs"


def test_a_lock_that_cannot_be_opened_is_no_bug_of_ours(clone: Baton) -> None:
    """As it is for another user, where the clone is not shared."""
    path = clone.directory / ".git/baton/commit.lock"
    path.mkdir(parents=True)
    (clone.directory / "a.txt").write_text("new\n")
    answer = clone("commit", "a.txt", "-m", "x", "--json")
    assert (answer.status, answer.error["code"]) == (1, "cannot_lock")
    assert answer.error["next"] == f"ls -ld {path}"


def test_where_nobody_shares_the_umask_counts(clone: Baton) -> None:
    clone.git("config", "--unset", "core.sharedRepository")
    (clone.directory / "a.txt").write_text("new\n")
    clone.ok("commit", "a.txt", "-m", "x")
    state = modes(clone.directory / ".git" / "baton")
    assert {mode & 0o077 for name, mode in state.items()} == {0}
