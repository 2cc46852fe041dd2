"""The ssh engine under contract: its server at the other end of a pipe, and its mutant.

Whether the pipe is ssh's makes no difference to the records; what does make one is in
``tests/integration/inbox``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gitbaton.core.clock import SystemClock
from gitbaton.store.protocol import Store
from gitbaton.store.ssh.engine import SshStore
from gitbaton.store.ssh.ways import PipeWay

ROOT = Path(__file__).parents[2]


def open_pipe(site: Path, clone: int = 0) -> Store:
    """Return a new store whose server keeps its database in ``site``."""
    return _open("honest", site)


def open_careless_pipe(site: Path, clone: int = 0) -> Store:
    """Return a new store whose server takes every change, whatever version it expects."""
    return _open("careless", site)


def _open(kind: str, site: Path) -> Store:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    words = [
        sys.executable,
        "-m",
        "tests.contract.pipeserver",
        kind,
        str(site / "state" / "store.db"),
    ]
    way = PipeWay(words, {**os.environ, "PYTHONPATH": path}, ROOT)
    return SshStore(way, clock=SystemClock())
