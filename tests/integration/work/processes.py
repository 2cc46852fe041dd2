"""Programs that misbehave, and ways to see what became of them."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import psutil

from gitbaton.core.clock import SystemClock

PATIENCE = 120.0  # seconds; only a hanging test needs them all


def python(code: str) -> tuple[str, ...]:
    """Return the command that runs ``code``: quick to start, unbuffered, importing nothing."""
    return (sys.executable, "-I", "-S", "-u", "-c", textwrap.dedent(code))


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll until ``condition`` holds; fail if that takes two minutes."""
    clock = SystemClock()
    deadline = clock.elapsed() + PATIENCE
    while not condition():
        assert clock.elapsed() < deadline, "it did not come true in time"
        clock.sleep(0.02)


def recorded(path: Path) -> set[int]:
    """Return the process ids that programs wrote to ``path``, one a line."""
    return {int(line) for line in path.read_text().split()}


def existing(pids: set[int]) -> set[int]:
    """Return those in the process table, zombies included."""
    return {pid for pid in pids if psutil.pid_exists(pid)}


def running(pids: set[int]) -> set[int]:
    """Return those that run. A zombie has ended: it only waits for its parent's notice."""
    alive = set()
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                alive.add(pid)
        except psutil.NoSuchProcess:
            continue
    return alive
