"""Ways to commit one file: plain git, the wrapper of the field, our library, our command."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal

from benchmarks.lab.workplace import baton_command
from gitbaton.checkout import Checkout
from gitbaton.core.errors import BatonError
from gitbaton.workspace.safecommit.request import CommitRequest

CommitWay = Literal["git", "wrapper", "library", "command"]
Committer = Callable[[str, str], bool]
"""Commits a path with a message; tells whether it was committed."""

_WAIT: Final = 600.0


def make_committer(way: CommitWay, top: Path, env: Mapping[str, str]) -> Committer:
    """Return what commits in the working tree ``top`` in this way."""
    return _MAKERS[way](top, env)


def _git(top: Path, env: Mapping[str, str]) -> Committer:
    """Plain `git commit`, which is right only while nobody else is there."""

    def commit(path: str, message: str) -> bool:
        return _run(top, env, "commit", "--quiet", "-m", message, "--", path).returncode == 0

    return commit


def _wrapper(top: Path, env: Mapping[str, str]) -> Committer:
    """What fleets have: a lock, no commit while anything else is dirty, hooks in place."""
    lock = top / ".git" / "wrapper.lock"

    def commit(path: str, message: str) -> bool:
        with lock.open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            status = _run(top, env, "status", "--porcelain", "-z").stdout.split(b"\0")
            if any(line and line[3:] != os.fsencode(path) for line in status):
                return False
            staged = _run(top, env, "add", "--", path).returncode == 0
            return staged and _run(top, env, "commit", "--quiet", "-m", message).returncode == 0

    return commit


def _library(top: Path, env: Mapping[str, str]) -> Committer:
    """`baton commit` without the start of a process."""

    checkout = Checkout(top, env, command="benchmark")

    def commit(path: str, message: str) -> bool:
        wish = CommitRequest(paths=(os.fsencode(path),), message=message.encode(), wait=_WAIT)
        try:
            return checkout.commits().run(wish).commit is not None
        except BatonError:
            return False

    return commit


def _command(top: Path, env: Mapping[str, str]) -> Committer:
    words = [*baton_command(), "commit", "--wait", f"{_WAIT:.0f}s"]

    def commit(path: str, message: str) -> bool:
        done = subprocess.run(
            [*words, path, "-m", message], cwd=top, env=dict(env), capture_output=True, check=False
        )
        return done.returncode == 0

    return commit


def _run(top: Path, env: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["git", *words],
        cwd=top,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


_MAKERS: Final[Mapping[CommitWay, Callable[[Path, Mapping[str, str]], Committer]]] = {
    "git": _git,
    "wrapper": _wrapper,
    "library": _library,
    "command": _command,
}
