"""What a long backlog costs: adding it, claiming from it, looking at it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.clients.backlog import BacklogJob, BacklogTimes
from benchmarks.clients.calling import call
from benchmarks.document import BacklogResult, summarise
from benchmarks.lab.lab import Way
from benchmarks.lab.links import LOCAL
from benchmarks.lab.workplace import baton_command, numbered
from benchmarks.parts.session import Session

_PATIENCE = 900.0


def run(session: Session) -> None:
    """Measure every size."""
    way = session.lab.open(LOCAL)
    for size in session.scale.backlogs:
        with session.attempt(f"backlog: {size} tasks"):
            result = _measure(session, way, size)
            session.document.backlog.append(result)
            session.say(
                f"  added in {result.add_s} s, claim {result.claim.p50:.1f} ms, "
                f"look {result.look.p50:.1f} ms"
            )


def _measure(session: Session, way: Way, size: int) -> BacklogResult:
    place, scale = session.lab.workplace, session.scale
    remote = place.remote(f"backlog-{size}")
    adder = place.root / f"backlog-{size}-first"
    place.baton(adder, "init")
    tasks = place.write_tasks(numbered(size))
    began = time.perf_counter()
    place.baton(adder, "add", "--from", str(tasks))
    added = time.perf_counter() - began
    clone = place.clone(remote, f"backlog-{size}-claimer", url=way.url(remote))
    job = BacklogJob(str(clone), scale.backlog_claims, scale.backlog_looks)
    times = call("backlog", job, BacklogTimes, env=way.env, patience=_PATIENCE)
    commands = [_time_command(clone, way.env) for _ in range(scale.commands)]
    return BacklogResult(
        size=size,
        add_s=round(added, 3),
        first_look_ms=round(times.first_look * 1000, 1),
        claim=summarise(times.claims),
        look=summarise(times.looks),
        command=summarise(commands),
    )


def _time_command(clone: Path, env: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(
        [*baton_command(), "ready", "--json"],
        cwd=clone,
        env=dict(env),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=_PATIENCE,
    )
    return time.perf_counter() - began
