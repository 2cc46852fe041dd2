"""Two things no test may do: touch the real home, and leave processes behind."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable
from pathlib import Path

import psutil

from tests.hermetic import MARK

# What git, ssh and gitbaton would read or write there if a test let them.
_WATCHED = (
    ".gitconfig",
    ".git-credentials",
    ".ssh",
    ".ssh/known_hosts",
    ".ssh/config",
    ".config/git",
    ".config/git/config",
    ".config/baton",
    ".config/gitbaton",
    ".cache/baton",
    ".cache/gitbaton",
    ".local/share/baton",
    ".local/share/gitbaton",
    ".local/state/baton",
    ".local/state/gitbaton",
    ".baton",
    ".gitbaton",
)

servers: set[int] = set()
"""Process ids of servers that live as long as the test run."""


def real_home() -> Path:
    """Return the home of the account, whatever HOME says."""
    return Path(pwd.getpwuid(os.getuid()).pw_dir)


def fingerprint(home: Path) -> dict[str, int]:
    """Return the time of the last change of each watched path in ``home`` that exists."""
    found = {}
    for name in _WATCHED:
        try:
            found[name] = (home / name).stat().st_mtime_ns
        except OSError:
            continue
    return found


def left_behind(run: str, *, grace: float = 3.0) -> list[str]:
    """End all processes of the test run ``run`` and say what they were.

    Those that end by themselves within ``grace`` seconds are not counted.
    """
    found = [p for p in _ours(run) if not _is_expected(p)]
    _, alive = psutil.wait_procs(found, timeout=grace)
    described = [_describe(process) for process in alive]
    for process in alive:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    return described


def _ours(run: str) -> Iterable[psutil.Process]:
    """Yield children, and what has lost its parent but carries the mark in its environment."""
    me = psutil.Process()
    found = {child.pid: child for child in me.children(recursive=True)}
    for process in psutil.process_iter():
        if process.pid == me.pid or process.pid in found:
            continue
        try:
            if process.environ().get(MARK) == run:
                found[process.pid] = process
        except (psutil.Error, OSError):
            continue
    return found.values()


def _is_expected(process: psutil.Process) -> bool:
    try:
        if process.pid in servers or any(p.pid in servers for p in process.parents()):
            return True
        # multiprocessing keeps these two for the life of the interpreter.
        words = " ".join(process.cmdline())
        return "multiprocessing.resource_tracker" in words or "multiprocessing.forkserver" in words
    except psutil.Error:
        return False


def _describe(process: psutil.Process) -> str:
    try:
        return f"{process.pid}: {' '.join(process.cmdline()) or process.name()}"
    except psutil.Error:
        return str(process.pid)
