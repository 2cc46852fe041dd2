"""Times claims and looks over a backlog of some size, in one process that stays."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from benchmarks.clients.calling import answer, read_job
from gitbaton.app import open_app
from gitbaton.tasks.claims import Claimant

WARM_UP = 2


class BacklogJob(msgspec.Struct, frozen=True):
    """How many claims and looks to make in which clone."""

    clone: str
    claims: int
    looks: int


class BacklogTimes(msgspec.Struct, frozen=True):
    """Seconds. ``looks``: asking the remote for what is new, and listing what is ready."""

    first_look: float
    claims: list[float]
    looks: list[float]
    ready: int


def measure(job: BacklogJob) -> BacklogTimes:
    """Look, claim, look."""
    app = open_app(Path(job.clone), dict(os.environ))
    queue = app.queue
    who = Claimant("agent", "agent", "benchmark")
    began = time.perf_counter()
    queue.ready(queue.view(), who)
    first_look = time.perf_counter() - began
    app.store.tidy()  # as every worker does at its start: the next of the backlog become live
    claims, looks, ready = [], [], 0
    for number in range(job.claims + WARM_UP):
        began = time.perf_counter()
        queue.claim(who)
        if number >= WARM_UP:
            claims.append(time.perf_counter() - began)
    for _ in range(job.looks):
        began = time.perf_counter()
        ready = len(queue.ready(queue.view(), who))
        looks.append(time.perf_counter() - began)
    app.close()
    return BacklogTimes(first_look, claims, looks, ready)


if __name__ == "__main__":
    answer(measure(read_job(BacklogJob)))
