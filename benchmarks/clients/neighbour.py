"""A session that shares the checkout: edits, stages, takes back, until it is ended."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import msgspec

from benchmarks.clients.calling import read_job

_DIRTY, _CLEAN = 0.2, 0.1  # seconds: of something half done, and of nothing


class NeighbourJob(msgspec.Struct, frozen=True):
    """Whose file it is, in which working tree."""

    top: str
    path: str


def disturb(job: NeighbourJob) -> None:
    """Never return."""
    top, number = Path(job.top), 0
    while True:
        number += 1
        (top / job.path).write_text(f"half written {number}\n")
        if number % 2:
            _git(top, "add", "--", job.path)
        time.sleep(_DIRTY)
        _git(top, "checkout", "--quiet", "HEAD", "--", job.path)
        time.sleep(_CLEAN)


def _git(top: Path, *words: str) -> None:
    # It fails while another git holds the index, as it does for everybody.
    subprocess.run(["git", *words], cwd=top, capture_output=True, check=False)


if __name__ == "__main__":
    disturb(read_job(NeighbourJob))
