"""Lock files that a killed git left on the remote, where they can be seen."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gitbaton.cli.doctor.finding import Finding, ok, problem
from gitbaton.git.locks import find_repository, find_stale_locks

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
    for path in found:
        yield problem(
            "locks",
            f"{path} was left by a git that was killed: that ref cannot be changed",
            next=f"if no git is running there: rm {shlex.quote(str(path))}",
        )
    if repository is not None and not found:
        yield ok("locks", "no stale lock file on the remote", detail=True)
