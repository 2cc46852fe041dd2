"""Edits a file of its own and commits it, again and again, and times each commit."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from benchmarks.clients.calling import answer, read_job
from benchmarks.clients.committing import CommitWay, make_committer


class CommitJob(msgspec.Struct, frozen=True):
    """Commits of ``path`` in the working tree ``top``: ``count`` times each of ``ways`` in turn.

    The first ``warm_up`` rounds are not told.
    """

    top: str
    ways: list[CommitWay]
    path: str
    count: int
    warm_up: int = 0


class CommitTimes(msgspec.Struct, frozen=True):
    """Seconds of the commits that were made, by way, and how many were refused."""

    made: dict[str, list[float]]
    refused: dict[str, int]


def measure(job: CommitJob) -> CommitTimes:
    """Commit."""
    top = Path(job.top)
    committers = {way: make_committer(way, top, dict(os.environ)) for way in job.ways}
    made: dict[str, list[float]] = {way: [] for way in job.ways}
    refused: dict[str, int] = dict.fromkeys(job.ways, 0)
    for number in range(job.warm_up + job.count):
        for way, commit in committers.items():
            (top / job.path).write_text(f"{way} {number}\n")
            began = time.perf_counter()
            is_made = commit(job.path, job.path)
            took = time.perf_counter() - began
            if number < job.warm_up:
                continue
            if is_made:
                made[way].append(took)
            else:
                refused[way] += 1
    return CommitTimes(made, refused)


if __name__ == "__main__":
    answer(measure(read_job(CommitJob)))
