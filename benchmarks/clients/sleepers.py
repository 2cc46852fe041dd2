"""Runs workers whose streams only sleep, and tells how long their frames take."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.clients.calling import answer, read_job
from benchmarks.lab.workplace import baton_command


class SleepJob(msgspec.Struct, frozen=True):
    """One worker in each of ``clones``, for so many ``frames`` in which each stream sleeps."""

    clones: list[str]
    streams: int
    sleep: float
    frames: int


class SleepTimes(msgspec.Struct, frozen=True):
    """Seconds from one published frame to the next, of the frames in which all workers ran."""

    frames: list[float]


def measure(job: SleepJob) -> SleepTimes:
    """Let the workers run, and time what the first of them publishes."""
    first, *others = job.clones
    times: list[float] = []
    with _worker(others, job), _worker([first], job, "--json") as (leader,):
        last = 0.0
        for all_here in _published(leader, len(job.clones)):
            now = time.perf_counter()
            if last and all_here:
                times.append(now - last)
            last = now
            if len(times) == job.frames:
                return SleepTimes(times)
    raise RuntimeError(f"the workers ended after {len(times)} frames")


def _published(leader: subprocess.Popen[str], workers: int) -> Iterator[bool]:
    """Yield at each published frame whether all workers had delivered for it."""
    assert leader.stdout is not None
    for line in leader.stdout:
        event = json.loads(line)
        if event["event"] == "published":
            yield len(event["detail"]["merged"]) == workers


@contextmanager
def _worker(
    clones: list[str], job: SleepJob, *more: str
) -> Iterator[tuple[subprocess.Popen[str], ...]]:
    words = ["frame", "work", "--cmd", f"sleep {job.sleep}", "--streams", str(job.streams)]
    # The leader is the one whose news are read; the others must not take its place.
    role = list(more) or ["--no-primary"]
    started = [
        subprocess.Popen(
            [*baton_command(), *words, *role, "--name", Path(clone).name],
            cwd=clone,
            env=dict(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if more else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for clone in clones
    ]
    try:
        yield tuple(started)
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.communicate()


if __name__ == "__main__":
    answer(measure(read_job(SleepJob)))
