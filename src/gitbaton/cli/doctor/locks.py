"""Lock files that a killed git left in the clone, and on the remote where they can be seen."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gitbaton.cli.doctor.finding import Finding, ok, problem
from gitbaton.git.locks import (
    find_repository,
    find_stale_file_locks,
    find_stale_locks,
    find_stale_tree_locks,
)

_STALE: Final = 60.0  # seconds


def examine_locks(url: str, clone: Path, own: Path) -> Iterator[Finding]:
    """Look in the repository at ``url``, if it is a directory here, and in our ``own``."""
    places = [own]
    repository = find_repository(url, clone)
    if repository is None:
        yield ok(
            "locks",
            "stale lock files on the host cannot be seen from here; pushes would fail with "
            "'cannot lock ref'",
            next="on the host: find REPOSITORY -name '*.lock' -mmin +1",
            detail=True,
        )
    else:
        places.append(repository)
    found = [
        path
        for place in places
        for path in find_stale_locks(place, older_than=_STALE, now=time.time())
    ]
    yield from map(_of_a_ref, found)
    if repository is not None and not found:
        yield ok("locks", "no stale lock file on the remote", detail=True)


def examine_own_locks(common: Path, own: Path) -> Iterator[Finding]:
    """Look in the clone itself, whose git directory is ``common``, and in all its worktrees.

    ``own``: our own repository in it, of which only the files that all fetches share are asked.
    """
    now = time.time()
    refs = find_stale_locks(common, older_than=_STALE, now=now)
    yield from map(_of_a_ref, refs)
    files = [
        *find_stale_tree_locks(common, older_than=_STALE, now=now),
        *find_stale_file_locks(own, older_than=_STALE, now=now),
    ]
    for path in files:
        if path not in refs:
            yield problem(
                "locks",
                f"{path} is in the way of every git that changes {path.with_suffix('')}: a git was "
                "killed, or has an editor open",
                next=f"if no git is running there: rm {shlex.quote(str(path))}",
            )
    if not refs and not files:
        yield ok("locks", "no stale lock file in this clone", detail=True)


def _of_a_ref(path: Path) -> Finding:
    return problem(
        "locks",
        f"{path} was left by a git that was killed: that ref cannot be changed",
        next=f"if no git is running there: rm {shlex.quote(str(path))}",
    )
