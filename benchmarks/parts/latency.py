"""Claim latency against the round-trip time, all contenders in turn on each link."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.clients.calling import call
from benchmarks.clients.latency import LatencyJob, LatencyTimes
from benchmarks.contenders.field import make_field
from benchmarks.contenders.roster import TITLES, takes_part
from benchmarks.document import LatencyResult, Times, summarise
from benchmarks.lab.lab import Way
from benchmarks.parts.session import Session

_PATIENCE = 900.0


def run(session: Session) -> None:
    """Measure every link."""
    for link in session.links:
        with session.attempt(f"latency: {link.name}"):
            way = session.lab.open(link)
            session.document.latency.append(_measure(session, way))


def _measure(session: Session, way: Way) -> LatencyResult:
    scale, link = session.scale, way.link
    empty = LatencyJob(seats=[], rounds=scale.rounds, slow_every=scale.slow_every, echo=way.echo)
    seats = []
    for contender in TITLES:
        if not takes_part(contender, link.kind, redis=way.redis is not None):
            continue
        name = f"latency-{link.name}-{contender}".replace(".", "-").replace("+", "-open")
        count = empty.claims_of(contender)
        field = make_field(session.lab.workplace, way, contender, name, count)
        seats.append(field.seat(1))
    job = LatencyJob(seats=seats, rounds=empty.rounds, slow_every=empty.slow_every, echo=empty.echo)
    times = call("latency", job, LatencyTimes, env=way.env, side=way.side, patience=_PATIENCE)
    result = LatencyResult(
        link=link.name,
        added_ms=None if link.added is None else link.added * 1000,
        served_by=way.served_by,
        round_trip=summarise(times.round_trips) if times.round_trips else None,
        claims={name: summarise(taken) for name, taken in times.claims.items()},
    )
    session.say(_in_short(result.claims, result.round_trip))
    return result


def _in_short(claims: Mapping[str, Times], round_trip: Times | None) -> str:
    shown = [f"{name} {times.p50:.0f}" for name, times in claims.items()]
    ruler = f"round trip {round_trip.p50:.1f} ms; " if round_trip else ""
    return f"  {ruler}{', '.join(shown)} ms"
