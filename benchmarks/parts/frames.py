"""What frames cost beside the streams' own work, and whether more workers are more streams."""

from __future__ import annotations

from typing import Final

from benchmarks.clients.calling import call
from benchmarks.clients.frames import FrameJob, FrameTimes
from benchmarks.clients.sleepers import SleepJob, SleepTimes
from benchmarks.document import FrameResult, FrameScaling, summarise
from benchmarks.parts.session import Session

STREAMS: Final = 10  # of a worker
OPS: Final = 20  # of a stream
_DOCUMENTS: Final = 100  # where the number of workers is varied
_WORKERS: Final = 10  # where the number of documents is
_PATIENCE: Final = 900.0


def run(session: Session) -> None:
    """Measure fleets, worlds, and fleets of sleepers."""
    sizes = [(workers, _DOCUMENTS) for workers in session.scale.frame_workers]
    sizes += [(_WORKERS, documents) for documents in session.scale.frame_documents]
    for workers, documents in sizes:
        with session.attempt(f"frames: {workers} workers, {documents} documents"):
            result = _measure(session, workers, documents)
            session.document.frames.append(result)
            session.say(
                f"  pull {result.pull.p50:.0f} ms, push {result.push.p50:.0f} ms, "
                f"merge and publish {result.publish.p50:.0f} ms"
            )
    for workers in session.scale.frame_sleepers:
        with session.attempt(f"frames: {workers} workers with sleeping streams"):
            scaling = _measure_sleepers(session, workers)
            session.document.frame_scaling.append(scaling)
            session.say(f"  {scaling.streams_per_minute:.1f} streams a minute")


def _measure(session: Session, workers: int, documents: int) -> FrameResult:
    place = session.lab.workplace
    name = f"frames-{workers}-{documents}"
    remote = place.remote(name)
    clones = [str(place.clone(remote, f"{name}-{who}")) for who in ("primary", "worker", "crowd")]
    job = FrameJob(
        clones=(clones[0], clones[1], clones[2]),
        workers=workers,
        streams=STREAMS,
        ops=OPS,
        documents=documents,
        frames=session.scale.frame_rounds,
    )
    times = call("frames", job, FrameTimes, env=place.env, patience=_PATIENCE)
    together = [sum(steps) for steps in zip(times.pull, times.push, times.publish, strict=True)]
    return FrameResult(
        workers=workers,
        documents=documents,
        ops=times.ops,
        conflicts=times.conflicts,
        pull=summarise(times.pull),
        push=summarise(times.push),
        publish=summarise(times.publish),
        coordination=summarise(together),
    )


def _measure_sleepers(session: Session, workers: int) -> FrameScaling:
    place, scale = session.lab.workplace, session.scale
    name = f"sleepers-{workers}"
    remote = place.remote(name)
    clones = [place.clone(remote, f"{name}-{number}") for number in range(workers)]
    agents = place.root / f"{name}.txt"
    agents.write_text("".join(f"a{number}\n" for number in range(workers * STREAMS * 10)))
    deadline = f"{2 * scale.frame_sleep + 60:.0f}s"
    place.baton(clones[0], "frame", "init", "--agents", str(agents), "--deadline", deadline)
    job = SleepJob([str(clone) for clone in clones], STREAMS, scale.frame_sleep, scale.frame_sleeps)
    times = call("sleepers", job, SleepTimes, env=place.env, patience=_PATIENCE)
    seconds = sum(times.frames) / len(times.frames)
    return FrameScaling(
        workers=workers,
        streams=STREAMS,
        sleep=scale.frame_sleep,
        frames=len(times.frames),
        seconds=round(seconds, 3),
        streams_per_minute=round(workers * STREAMS * 60 / seconds, 3),
    )
