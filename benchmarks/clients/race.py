"""Claims until nothing is left, beside others who do the same; starts when told to."""

from __future__ import annotations

import os
import sys
import time

import msgspec

from benchmarks.clients.calling import answer, read_job
from benchmarks.contenders.contender import Claim
from benchmarks.contenders.roster import Seat, take_seat


class RaceJob(msgspec.Struct, frozen=True):
    """Who claims."""

    seat: Seat


class Lap(msgspec.Struct, frozen=True):
    """The claims won, and when the last one was (CLOCK_MONOTONIC, one for all processes here)."""

    claims: list[Claim]
    last: float


def run(job: RaceJob) -> Lap:
    """Get ready, say so, wait for the word, claim."""
    contender = take_seat(job.seat, dict(os.environ))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.buffer.readline()
    claims: list[Claim] = []
    last = time.monotonic()
    while won := contender.claim():
        claims += won
        last = time.monotonic()
    contender.close()
    return Lap(claims, last)


if __name__ == "__main__":
    answer(run(read_job(RaceJob)))
