"""Times single claims, all contenders in turn, so that what else the machine does strikes all."""

from __future__ import annotations

import os
import time

import msgspec

from benchmarks.clients.calling import answer, read_job
from benchmarks.contenders.contender import Contender
from benchmarks.contenders.roster import QUICK, Name, Seat, take_seat
from benchmarks.lab.echo import Ruler

_WARM_UP = 2
_WARM_UP_SLOW = 1


class LatencyJob(msgspec.Struct, frozen=True, kw_only=True):
    """``rounds`` claims by those who are quick; of the others one in every ``slow_every``th."""

    seats: list[Seat]
    rounds: int
    slow_every: int
    echo: tuple[str, int] | None

    def claims_of(self, name: Name) -> int:
        """Return how many claims a contender makes, those to warm up included."""
        if name in QUICK:
            return self.rounds + _WARM_UP
        return -(-self.rounds // self.slow_every) + _WARM_UP_SLOW


class LatencyTimes(msgspec.Struct, frozen=True):
    """Seconds: of each claim by contender, and of the round trips measured between."""

    claims: dict[str, list[float]]
    round_trips: list[float]


def measure(job: LatencyJob) -> LatencyTimes:
    """Play all rounds."""
    env = dict(os.environ)
    ruler = Ruler(*job.echo) if job.echo is not None else None
    crew = [(seat.contender, take_seat(seat, env)) for seat in job.seats]
    times: dict[str, list[float]] = {name: [] for name, _ in crew}
    round_trips: list[float] = []
    for name, contender in crew:
        for _ in range(_WARM_UP if name in QUICK else _WARM_UP_SLOW):
            _claim(contender)
    for number in range(job.rounds):
        if ruler is not None:
            round_trips.append(ruler.measure())
        for name, contender in crew:
            if name in QUICK or number % job.slow_every == 0:
                times[name].append(_claim(contender))
    for _, contender in crew:
        contender.close()
    return LatencyTimes(times, round_trips)


def _claim(contender: Contender) -> float:
    began = time.perf_counter()
    won = contender.claim()
    took = time.perf_counter() - began
    if not won:
        raise RuntimeError(f"{contender!r} found nothing to claim")
    return took


if __name__ == "__main__":
    answer(measure(read_job(LatencyJob)))
