"""The targets, in one table, and what a run says about each (pure).

A target that is missed is shown as missed, with the reason where it is known. None is adjusted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from benchmarks.document import Document, FrameResult, LatencyResult, RaceResult

SERVER_WORK_MS: Final = 40.0
FASTER_THAN_BASELINE: Final = 8.0

Sense = Literal["at most", "at least"]


@dataclass(frozen=True, slots=True)
class Reading:
    """A target at one place: what was wanted, what was measured. None: it was not measured."""

    target: str
    where: str
    sense: Sense
    limit: float
    unit: str
    measured: float | None
    why: str = ""

    @property
    def is_met(self) -> bool | None:
        """Tell whether it was met; None when it was not measured."""
        if self.measured is None:
            return None
        if self.sense == "at most":
            return self.measured <= self.limit
        return self.measured >= self.limit


@dataclass(frozen=True, slots=True)
class Target:
    """One number out of one run. ``why``: what bounds it, told when it is missed."""

    text: str
    where: str
    sense: Sense
    limit: float
    unit: str
    measure: Callable[[Document], float | None]
    why: str = ""

    def read(self, document: Document) -> Reading:
        """Return what ``document`` says about it."""
        found = self.measure(document)
        measured = None if found is None else round(found, 2)
        return Reading(self.text, self.where, self.sense, self.limit, self.unit, measured, self.why)


# --- what is asked of a document


def _race(document: Document, contender: str, claimers: int, batch: int = 1) -> RaceResult | None:
    for race in document.races:
        if (race.contender, race.claimers, race.batch) == (contender, claimers, batch):
            return race
    return None


def _claimers(count: int) -> str:
    return f"{count} claimer{'s' if count > 1 else ''}"


def _race_ratio(claimers: int, baseline: str) -> Callable[[Document], float | None]:
    def measure(document: Document) -> float | None:
        ours, theirs = _race(document, "library", claimers), _race(document, baseline, claimers)
        return None if ours is None or theirs is None else ours.per_second / theirs.per_second

    return measure


def _batched(claimers: int) -> Callable[[Document], float | None]:
    def measure(document: Document) -> float | None:
        race = _race(document, "library", claimers, 10)
        return None if race is None else race.per_second

    return measure


def _pushes_per_claim(claimers: int) -> Callable[[Document], float | None]:
    def measure(document: Document) -> float | None:
        race = _race(document, "library", claimers)
        return None if race is None else race.pushes_per_claim

    return measure


def _doubles(document: Document) -> float | None:
    ours = [race for race in document.races if race.contender == "library"]
    if not ours:
        return None
    return float(sum(race.doubles + race.unconfirmed + race.findings for race in ours))


def _pushes_per_task(document: Document) -> float | None:
    return next((work.pushes_per_task for work in document.pushes if work.slots == 10), None)


def _backlog_ratio(document: Document) -> float | None:
    claims = {result.size: result.claim.p50 for result in document.backlog}
    return claims[100_000] / claims[100] if {100, 100_000} <= claims.keys() else None


def _look(size: int) -> Callable[[Document], float | None]:
    return lambda document: next((b.look.p50 for b in document.backlog if b.size == size), None)


def _adding(document: Document) -> float | None:
    return next((b.add_s for b in document.backlog if b.size == 10_000), None)


def _parallelism(document: Document) -> float | None:
    rates = {result.slots: result.per_minute for result in document.parallel}
    return rates[20] / rates[1] if {1, 20} <= rates.keys() else None


def _commit_ratio(document: Document) -> float | None:
    return next((c.times["library"].p50 / c.times["git"].p50 for c in document.commits), None)


def _commit_command(document: Document) -> float | None:
    return next((c.times["command"].p50 - c.times["git"].p50 for c in document.commits), None)


def _commit_success(document: Document) -> float | None:
    for race in document.commit_races:
        if race.contender == "command":
            return 100.0 * (race.committed - race.wrong) / race.attempts
    return None


def _hooked_ratio(document: Document) -> float | None:
    return next((hooked.later.p50 / hooked.first_ms for hooked in document.hooked_commits), None)


def _carrying(workers: int, documents: int) -> Callable[[Document], float | None]:
    """One worker's pull and push, in seconds."""

    def measure(document: Document) -> float | None:
        found = _frames(document, workers, documents)
        return None if found is None else (found.pull.p50 + found.push.p50) / 1000

    return measure


def _publishing(workers: int, documents: int) -> Callable[[Document], float | None]:
    def measure(document: Document) -> float | None:
        found = _frames(document, workers, documents)
        return None if found is None else found.publish.p50 / 1000

    return measure


def _frames(document: Document, workers: int, documents: int) -> FrameResult | None:
    for found in document.frames:
        if (found.workers, found.documents) == (workers, documents):
            return found
    return None


def _stream_ratio(document: Document) -> float | None:
    rates = {found.workers: found.streams_per_minute for found in document.frame_scaling}
    return rates[2] / rates[1] if {1, 2} <= rates.keys() else None


def _merging(workload: str) -> Callable[[Document], float | None]:
    def measure(document: Document) -> float | None:
        found = (rate for rate in document.merging if rate.workload == workload)
        return next((float(rate.per_second) for rate in found), None)

    return measure


# --- the table

TARGETS: Final = (
    Target(
        "doubles, unconfirmed claims, broken invariants", "all races", "at most", 0, "", _doubles
    ),
    *(
        Target("pushes a claim", _claimers(n), "at most", 1.2, "", _pushes_per_claim(n))
        for n in (1, 8, 32)
    ),
    Target(
        "claims a second, as a multiple of (a)",
        "32 claimers",
        "at least",
        15,
        "times",
        _race_ratio(32, "tasks.json"),
    ),
    *(
        Target("claims a second, 10 a push", _claimers(n), "at least", 300, "/s", _batched(n), w)
        for n, w in (
            (1, "one claimant sends one push after the other; its time is the server's per push"),
            (8, ""),
            (32, ""),
        )
    ),
    Target("pushes a finished task", "10 slots", "at most", 0.6, "", _pushes_per_task),
    Target(
        "warm claim, 100,000 tasks as a multiple of 100",
        "p50",
        "at most",
        1.5,
        "times",
        _backlog_ratio,
    ),
    Target("ready, in process", "10,000 tasks, p50", "at most", 30, "ms", _look(10_000)),
    Target("ready, in process", "100,000 tasks, p50", "at most", 200, "ms", _look(100_000)),
    Target("`add --from`", "10,000 tasks", "at most", 10, "s", _adding),
    Target(
        "throughput of 20 agents, as a multiple of one", "", "at least", 18, "times", _parallelism
    ),
    Target(
        "`baton commit`: made, and right",
        "16 processes, dirty tree",
        "at least",
        100,
        "%",
        _commit_success,
    ),
    Target(
        "commit in process, as a multiple of `git commit`",
        "no hooks, p50",
        "at most",
        3,
        "times",
        _commit_ratio,
    ),
    Target(
        "`baton commit` above `git commit`", "no hooks, p50", "at most", 200, "ms", _commit_command
    ),
    Target(
        "a later commit with hooks, as a part of the first",
        "10,000 files, p50",
        "at most",
        0.25,
        "",
        _hooked_ratio,
    ),
    *(
        Target(
            "one worker's pull and push in a frame",
            f"{workers} workers, {documents:,} documents",
            "at most",
            0.5,
            "s",
            _carrying(workers, documents),
        )
        for workers, documents in ((50, 100), (200, 100), (10, 10_000))
    ),
    Target(
        "merging and publishing a frame",
        "50 workers, 10 streams, 20 ops each",
        "at most",
        3.6,
        "s",
        _publishing(50, 100),
    ),
    *(
        Target(
            "ops merged in process, validation and conflicts included",
            f"streams that {what}",
            "at least",
            50_000,
            "/s",
            _merging(workload),
        )
        for workload, what in (("apart", "keep apart"), ("quarrels", "quarrel"))
    ),
    Target(
        "streams a minute of two workers, as a multiple of one",
        "sleeping streams",
        "at least",
        1.95,
        "times",
        _stream_ratio,
    ),
)

_BOUND: Final = {
    "https": "over the round trip comes the server's work: nginx, fcgiwrap and receive-pack start "
    "for each push on the same cores",
    "ssh": "ssh opens a channel and starts the command, each answered, before the push travels: "
    "three round trips are its floor",
}
_ROUND_TRIPS: Final = {"https": 1.0, "ssh": 3.0}


def read_all(document: Document) -> list[Reading]:
    """Return what the run says about every target."""
    return [*_latencies(document), *(target.read(document) for target in TARGETS)]


def _latencies(document: Document) -> Iterator[Reading]:
    results = {result.link: result for result in document.latency}
    for kind, trips in _ROUND_TRIPS.items():
        for added in (50, 150):
            result = results.get(f"{kind}-{added}")
            yield _against_round_trip(result, kind, added, trips)
    for kind in _ROUND_TRIPS:
        for added in (50, 150):
            result = results.get(f"{kind}-{added}")
            yield _against_baseline(result, f"{kind}, {added} ms")


def _against_round_trip(
    result: LatencyResult | None, kind: str, added: int, trips: float
) -> Reading:
    measured, limit = None, trips * added + SERVER_WORK_MS
    if result is not None and result.round_trip is not None:
        measured = round(result.claims["library"].p50, 1)
        limit = round(trips * result.round_trip.p50 + SERVER_WORK_MS, 1)
    return Reading(
        target=f"warm claim p50: {trips:g} times the round trip + {SERVER_WORK_MS:g} ms",
        where=f"{kind}, {added} ms",
        sense="at most",
        limit=limit,
        unit="ms",
        measured=measured,
        why=_BOUND[kind],
    )


def _against_baseline(result: LatencyResult | None, where: str) -> Reading:
    measured = None
    if result is not None:
        measured = round(result.claims["tasks.json"].p50 / result.claims["library"].p50, 1)
    return Reading(
        "warm claim, how many times faster than (a)",
        where,
        "at least",
        FASTER_THAN_BASELINE,
        "times",
        measured,
    )
