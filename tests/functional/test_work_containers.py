"""Containers that share a clone: what a killed one owned is taken over by the next (I3, I4).

A process of another container cannot be looked up by its number; its mark is seen from there.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.functional.baton import COMMAND, Baton
from tests.functional.working import GATED, Place, add, kept_worktrees, tasks
from tests.needs import needs
from tests.servers.site import BareRepository

CONTAINER = ("unshare", "--pid", "--fork", "--mount-proc")


@pytest.fixture
def place(tmp_path: Path, file_remote: BareRepository) -> Place:
    needs("containers")
    return Place(tmp_path, file_remote)


@contextmanager
def after_a_worker(place: Place, clone: Baton) -> Iterator[None]:
    """What there is after a worker was killed with its container while its agent worked.

    The kernel gives the number of that container to the next one, which would see the worker's
    end by its number. Mostly others have taken it before, as one does here.
    """
    with subprocess.Popen(
        [*CONTAINER, *COMMAND, "work", "--lease", "1h", "--agent", GATED],
        cwd=clone.directory,
        env=clone.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as started:
        try:
            place.arrived("gated")
            assert kinds(next_container(clone, "gc", "--dry-run")) == set(), "it lives"
        finally:
            [first] = psutil.Process(started.pid).children()
            first.kill()  # the container ends with it, and `unshare` when all in it has ended
    with subprocess.Popen(
        [*CONTAINER, "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdin is not None and other.stdout is not None
        other.stdin.write(b".")
        other.stdin.flush()
        assert other.stdout.read(1) == b"."
        yield
        other.stdin.close()


def next_container(clone: Baton, *words: str) -> Any:
    """Run ``baton *words --json`` in another container; return its document."""
    done = subprocess.run(
        [*CONTAINER, *COMMAND, *words, "--json"],
        cwd=clone.directory,
        env=clone.environment(),
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


def kinds(cleaned: Any) -> set[str]:
    """What was freed of workers."""
    return {item["kind"] for item in cleaned["freed"]} & {"worktree", "claim"}


def test_the_next_container_takes_over_what_a_killed_one_owned(place: Place) -> None:
    clone = place.clone("clone")
    marks = clone.directory / ".git/baton/owners"
    add(clone, {"id": "gated"})
    with after_a_worker(place, clone):
        assert kinds(next_container(clone, "gc")) == {"worktree", "claim"}
        task = tasks(clone)["gated"]
        assert (task["status"], task["attempts"]) == ("pending", 1)
        assert len(place.rescues("gated", 1)) == 1
        assert kept_worktrees(clone) == set()
        clone.ok("gc")
        assert len(os.listdir(marks)) == 1, "its own"


def test_an_owner_without_a_mark_is_taken_over_when_somebody_says_so(place: Place) -> None:
    """As of a version before the marks: doctor names it, and how to go on."""
    clone = place.clone("clone")
    add(clone, {"id": "gated"})
    with after_a_worker(place, clone):
        for mark in (clone.directory / ".git/baton/owners").iterdir():
            mark.unlink()
        assert kinds(next_container(clone, "gc")) == set()
        [told] = [f for f in next_container(clone, "doctor")["findings"] if f["next"]]
        assert "gated" in told["text"] and told["next"].endswith("baton gc --take-over")
        assert kinds(next_container(clone, "gc", "--take-over")) == {"worktree", "claim"}
        assert tasks(clone)["gated"]["status"] == "pending"
