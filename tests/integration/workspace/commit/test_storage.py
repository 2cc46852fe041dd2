"""I4: where the system does not let us write, it is said why, and nothing is half done."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from gitbaton.checkout import Checkout
from gitbaton.core.clock import SystemClock
from gitbaton.core.errors import GitFailed, Refused
from gitbaton.core.ids import Oid
from gitbaton.git.entries import FILE, Entry
from gitbaton.git.sharedindex import IndexLocked, write_staged
from gitbaton.workspace.safecommit.hindrance import RefRefused
from gitbaton.workspace.safecommit.ledger import Ledger
from gitbaton.workspace.safecommit.lock import Holder, TreeLock
from gitbaton.workspace.safecommit.request import CommitRequest
from gitbaton.workspace.safecommit.storage import unwritable
from tests.integration.workspace.commit.house import House
from tests.needs import needs

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("name", ["moves", "commit"])
def test_what_cannot_be_written_is_named_and_nothing_has_happened(house: House, name: str) -> None:
    state = house.top / ".git/baton"
    state.mkdir()
    (state / name).write_text("in the way")
    house.write("a.txt", "new\n")
    before, staged = house.head, house.staged()
    with pytest.raises(Refused) as refused:
        house.commit("a.txt")
    assert refused.value.code == "cannot_write"
    assert f"baton/{name}" in refused.value.message
    assert refused.value.next is not None and refused.value.next.startswith("ls -ld ")
    assert (house.head, house.staged()) == (before, staged)
    (state / name).unlink()
    house.commit("a.txt")
    assert house.files() == {("M", b"a.txt")}


def test_a_queue_that_cannot_be_made_is_named(house: House) -> None:
    state = house.top / ".git/baton"
    state.mkdir()
    (state / "commit.queue").write_text("in the way")
    clock = SystemClock()
    lock = TreeLock(state, clock, Holder(pid=os.getpid(), command="test"))
    with pytest.raises(Refused, match=r"commit\.queue") as refused, lock.hold(timeout=0):
        pass
    assert refused.value.code == "cannot_write"


def test_a_commit_whose_maker_cannot_be_noted_is_made_and_says_so(house: House) -> None:
    Ledger(house.top / ".git/baton").path.mkdir(parents=True)
    house.write("a.txt", "new\n")
    told: list[str] = []
    checkout = Checkout(house.top, house.environment(), command="test", tell=told.append)
    committed = checkout.commits().run(CommitRequest(paths=(b"a.txt",), message=b"work\n"))
    assert committed.commit == house.head
    [note] = told
    assert (
        "the commit is made" in note and "commits.jsonl cannot be written: Is a directory" in note
    )


@pytest.mark.parametrize(
    ("reason", "kind"), [("File exists.", IndexLocked), ("No space left on device", GitFailed)]
)
def test_no_space_is_no_lock_of_the_index(
    house: House, tmp_path: Path, reason: str, kind: type[GitFailed]
) -> None:
    """Git names the lock file in both cases; only one is worth waiting for."""
    fake = tmp_path / "git"
    fake.write_text(
        f"#!/bin/sh\necho \"fatal: Unable to create 'index.lock': {reason}\" >&2\nexit 128\n"
    )
    fake.chmod(0o755)
    tree = house.checkout().tree
    failing = replace(tree, git=replace(tree.git, binary=str(fake)))
    with open(os.devnull) as pen, pytest.raises(GitFailed) as failed:
        write_staged(failing, [(b"a.txt", None)], pen=pen.fileno())
    assert failed.type is kind


def test_a_path_that_git_passes_over_in_the_index_is_an_error(house: House) -> None:
    """It says so, and its exit status is 0."""
    blob = Entry(FILE, Oid(house.git("rev-parse", "HEAD:a.txt")))
    with open(os.devnull) as pen, pytest.raises(GitFailed, match=r"Ignoring path \.git/x"):
        write_staged(house.checkout().tree, [(b".git/x", blob)], pen=pen.fileno())


@pytest.mark.parametrize(
    ("said", "code", "next"),
    [
        ("fatal: prepare: Unable to create 'x.lock': File exists.", "ref_locked", "remove"),
        ("fatal: prepare: ref updates aborted by hook", "ref_refused", "reference-transaction"),
        (
            "fatal: prepare: in 'prepared' phase, update aborted by the reference-transaction hook",
            "ref_refused",
            "reference-transaction",
        ),
        (
            "fatal: prepare: Unable to create 'x.lock': No space left on device",
            "ref_failed",
            "fsck",
        ),
        ("fatal: prepare: unable to resolve reference 'x': reference broken", "ref_failed", "fsck"),
    ],
)
def test_only_a_hook_is_blamed_on_a_hook(said: str, code: str, next: str) -> None:
    error = RefRefused.by(GitFailed(["git", "update-ref"], 128, said), "refs/heads/x")
    assert error.code == code
    assert error.next is not None and next in error.next
    assert said.removeprefix("fatal: prepare: ") in error.message


def test_a_full_disk_is_told_from_a_missing_right(tmp_path: Path) -> None:
    full = unwritable(OSError(errno.ENOSPC, "No space left on device", "f"), tmp_path)
    barred = unwritable(PermissionError(errno.EACCES, "Permission denied", "f"), tmp_path)
    assert full.next is not None and full.next.startswith("df -h ")
    assert barred.next is not None and barred.next.startswith("ls -ld ")
    assert "No space left on device" in full.message


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """With no page left, with one, with two: each time another file is the first that fails."""
    needs("mounts")
    done = subprocess.run(
        [
            *("unshare", "--mount", sys.executable, "-m"),
            *("tests.integration.workspace.commit.full_disk", str(tmp_path)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "made 200" in done.stdout
    refusals = [line for line in done.stdout.splitlines() if line.startswith("refused ")]
    assert len(refusals) > 3
    for line in refusals:
        assert re.search("No space left on device|(unable to|couldn't) write|Out of disk", line), (
            line
        )
