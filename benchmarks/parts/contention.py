"""Contention: several claimants empty one backlog, on a remote at a path."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.clients.calling import ClientFailed, end, finish, start
from benchmarks.clients.race import Lap, RaceJob
from benchmarks.contenders.evidence import judge
from benchmarks.contenders.field import make_field
from benchmarks.contenders.roster import Name
from benchmarks.document import RaceResult
from benchmarks.lab.lab import Way
from benchmarks.lab.links import LOCAL
from benchmarks.parts.session import Session
from benchmarks.push_counter import PushCounter

_PATIENCE = 300.0


def run(session: Session) -> None:
    """Let everybody race, the smallest field first."""
    way = session.lab.open(LOCAL)
    scale = session.scale
    entries: list[tuple[Name, int, int]] = [
        ("library", scale.race_tasks, 1),
        ("library", scale.race_tasks, scale.batch),
        ("tasks.json", scale.baseline_tasks, 1),
        ("tags", scale.baseline_tasks, 1),
    ]
    if way.redis is not None:
        entries.append(("redis", scale.race_tasks, 1))
    for claimers in scale.racers:
        for contender, tasks, batch in entries:
            with session.attempt(f"race: {claimers} x {contender}, {batch} at once"):
                result = _race(session, way, contender, claimers, tasks, batch)
                session.document.races.append(result)
                session.say(f"  {result.per_second:.1f} claims/s, {result.doubles} doubles")


def _race(
    session: Session, way: Way, contender: Name, claimers: int, tasks: int, batch: int
) -> RaceResult:
    place = session.lab.workplace
    name = f"race-{contender}-{claimers}-{batch}".replace(".", "-")
    field = make_field(place, way, contender, name, tasks)
    counter = PushCounter(place.root / f"{name}.trace")
    env = counter.watched(way.env)
    seats = [field.seat(number, batch=batch) for number in range(1, claimers + 1)]
    processes = [start("race", RaceJob(seat), env=env) for seat in seats]
    try:
        began = _start_together(processes)
        laps = [finish(process, Lap, patience=_PATIENCE) for process in processes]
    finally:
        for process in processes:
            end(process)
    told = [claim for lap in laps for claim in lap.claims]
    seconds = max(lap.last for lap in laps) - began
    pushes = (
        None
        if contender == "redis"
        else counter.count(Path(seat.clone) for seat in seats if seat.clone)
    )
    judgement = judge(field, told)
    return RaceResult(
        contender=contender,
        claimers=claimers,
        batch=batch,
        tasks=tasks,
        claims=len(told),
        seconds=round(seconds, 3),
        per_second=round(len(told) / seconds, 2),
        pushes=pushes,
        pushes_per_claim=None if pushes is None else round(pushes / len(told), 3),
        doubles=judgement.doubles,
        unconfirmed=judgement.unconfirmed,
        findings=judgement.findings,
    )


def _start_together(processes: Sequence[subprocess.Popen[bytes]]) -> float:
    """Wait until all are ready, give the word, return when. Raises ClientFailed."""
    for process in processes:
        assert process.stdout is not None
        if process.stdout.readline().strip() != b"ready":
            _, err = process.communicate()
            raise ClientFailed(err.decode(errors="replace").strip() or "a claimant gave up")
    began = time.monotonic()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    return began
