"""Workers with scripted agents, some of which are killed in the middle of their work."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitbaton.core.clock import SystemClock
from tests.functional.baton import Baton

_PATIENCE = 90.0  # seconds; only a test that hangs needs them all


def script(area: Path, text: str) -> str:
    """Write a shell script and return the agent command that runs it."""
    path = area / f"agent-{len(list(area.glob('agent-*')))}.sh"
    path.write_text(f"set -e\n{text}\n")
    return f"sh {path}"


def wait_for(path: Path) -> None:
    """Wait until there is a file at ``path``."""
    clock = SystemClock()
    deadline = clock.elapsed() + _PATIENCE
    while not path.exists():
        assert clock.elapsed() < deadline, f"{path} did not appear"
        clock.sleep(0.02)


@contextmanager
def working(clone: Baton, agent: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run a worker for one task; it is gone at the end, however it ends."""
    worker = clone.start("work", "--once", "--json", "--agent", agent, *options)
    try:
        yield worker
    finally:
        worker.kill()
        worker.communicate()


def kill_worker(clone: Baton, area: Path, work: str) -> None:
    """Let an agent do ``work`` and kill its worker before it ends."""
    up = area / "up"
    agent = script(area, f"{work}\ntouch {up}\nexec sleep 600")
    with working(clone, agent) as worker:
        wait_for(up)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    up.unlink()
