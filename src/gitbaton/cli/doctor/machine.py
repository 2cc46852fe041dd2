"""The machine: Python, git, ssh, disk space."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from gitbaton import __version__
from gitbaton.cli.doctor.finding import Finding, failed, note, ok, problem, warning
from gitbaton.core.errors import BatonError
from gitbaton.git.repository import MINIMUM_GIT
from gitbaton.git.runner import Git, clean_environment

_LITTLE: Final = 1_000_000_000  # bytes free
_NEXT_TO_NOTHING: Final = 100_000_000
_OVER_SSH: Final = re.compile(r"(?:git\+ssh|ssh\+git|ssh)://|(?!\w+://)[^/:]{2,}:(?!:)")


def examine_machine(env: Mapping[str, str]) -> Iterator[Finding]:
    """Look at what everything runs on."""
    yield ok("baton", f"baton {__version__}")
    yield ok("python", f"Python {platform.python_version()} on {platform.platform(terse=True)}")
    yield _git(env)


def examine_ssh(url: str, env: Mapping[str, str]) -> Iterator[Finding]:
    """Look for ssh, where ``url`` needs it."""
    if not _OVER_SSH.match(url) or env.get("GIT_SSH_COMMAND") or env.get("GIT_SSH"):
        return
    found = shutil.which("ssh", path=env.get("PATH", os.defpath))
    if found is None:
        yield problem("ssh", "the remote is reached by ssh, which is not on PATH")
    else:
        yield ok("ssh", found)


def examine_disk(*places: Path) -> Iterator[Finding]:
    """Look at the space left for what is kept in ``places`` (they need not exist yet)."""
    seen: set[int] = set()
    for place in places:
        there = next(path for path in (place, *place.parents) if path.exists())
        device = there.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        yield _space(there)
        if not os.access(there, os.W_OK):
            yield problem("disk", f"{there} cannot be written to")


def _space(place: Path) -> Finding:
    import humanize

    free = shutil.disk_usage(place).free
    text = f"{humanize.naturalsize(free)} free at {place}"
    if free < _NEXT_TO_NOTHING:
        return problem("disk", text, next="make room: worktrees and records need it")
    return warning("disk", text, next="baton gc") if free < _LITTLE else ok("disk", text)


def _git(env: Mapping[str, str]) -> Finding:
    try:
        shown = Git(Path.cwd(), clean_environment(env)).run("version").text
    except BatonError as error:
        return failed("git", error)
    found = re.search(r"(\d+)\.(\d+)", shown)
    if found is None:
        return note("git", f"the version of git cannot be told from {shown!r}")
    if (int(found[1]), int(found[2])) < MINIMUM_GIT:
        needed = ".".join(map(str, MINIMUM_GIT))
        return problem("git", f"{shown} is too old", next=f"install git {needed} or newer")
    return ok("git", shown)
