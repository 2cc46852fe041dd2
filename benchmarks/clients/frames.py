"""Times the steps of frames in one process: a worker's pull and push, and the primary's merge.

One worker is measured; the others of the fleet only publish their deltas, from a clone of their
own. All of it goes through what workers and primaries are made of, step by step.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.clients.calling import answer, read_job
from gitbaton.app import App, open_app
from gitbaton.core.ids import Oid, new_nonce
from gitbaton.frames.attendant import Attendant
from gitbaton.frames.beacon import Beacon
from gitbaton.frames.codec import write_op
from gitbaton.frames.delivery import pack_delta
from gitbaton.frames.delta import StreamRun
from gitbaton.frames.frame import World
from gitbaton.frames.op import Add, Append, Incr, Max, Op, Set
from gitbaton.frames.refs import Pair
from gitbaton.frames.scene import Scene
from gitbaton.frames.shelf import Shelf
from gitbaton.frames.tokens import Role
from gitbaton.git.objects import Person
from gitbaton.git.remote import RefUpdate
from gitbaton.theatre import Founding, Theatre

WARM_UP = 1
_LONG = 3600.0  # a lease and a deadline that never run out
_AT_ONCE = 100  # refs in a push
_AUTHOR = Person("fleet", "fleet@gitbaton.invalid", 1_700_000_000)


class FrameJob(msgspec.Struct, frozen=True):
    """``clones``: of the primary, of the measured worker, of the others."""

    clones: tuple[str, str, str]
    workers: int
    streams: int
    ops: int
    documents: int
    frames: int


class FrameTimes(msgspec.Struct, frozen=True):
    """Seconds, one for each frame. ``ops``: how many were merged in the last one."""

    pull: list[float]
    push: list[float]
    publish: list[float]
    ops: int
    conflicts: int


class Fleet:
    """The primary, the worker that is measured, and those that are not."""

    def __init__(self, job: FrameJob) -> None:
        self._job = job
        primary, worker, crowd = (open_app(Path(clone), dict(os.environ)) for clone in job.clones)
        self._names = [f"w{number:03}" for number in range(job.workers)]
        self._crowd, self._crowd_stage = crowd, Theatre(crowd).stage
        Theatre(primary).found(_make_world(job))
        self._primary = _attendant(primary, "primary", primary=True)
        self._worker = _attendant(worker, self._names[0], streams=job.streams)
        self._shelf = Shelf(worker.state / "bench-worlds", worker.repository.objects)
        self._app = worker
        self._show_presence()
        self._worker.step()
        self._publish()

    def play(self) -> tuple[float, float, float]:
        """Let a frame pass; return the seconds of the worker's pull, its push, and the primary."""
        view = self._crowd_stage.look()
        self._deliver_others(view.scene)
        began = time.perf_counter()
        scene = self._worker.step().scene
        assert scene.engaged, "who runs whom is worked out as a worker does"
        world = self._shelf.lay(scene.number, scene.tree)
        pulled = time.perf_counter()
        commit = self._pack(self._app, self._names[0], scene)
        self._worker.deliver(Pair(scene.number, self._names[0]), commit)
        pushed = time.perf_counter()
        self._publish()
        published = time.perf_counter()
        self._shelf.release(world)  # as a worker does while it waits for the primary
        return pulled - began, pushed - pulled, published - pushed

    def last(self) -> Scene:
        """Return the world as it is now."""
        return self._crowd_stage.look().scene

    def _publish(self) -> None:
        before = self._primary.published
        while self._primary.published == before:
            self._primary.step()

    def _show_presence(self) -> None:
        beacons = [
            _beacon(self._crowd, name, "worker", self._job.streams) for name in self._names[1:]
        ]
        flashes = [beacon.flash(0, over=None) for beacon in beacons]
        objects = [made for flash in flashes for made in flash.objects]
        self._crowd.repository.objects.write(objects)
        self._push([flash.update for flash in flashes])

    def _deliver_others(self, scene: Scene) -> None:
        refs = self._crowd_stage.refs
        self._push(
            [
                RefUpdate(
                    refs.delta(Pair(scene.number, name)), None, self._pack(self._crowd, name, scene)
                )
                for name in self._names[1:]
            ]
        )

    def _push(self, updates: list[RefUpdate]) -> None:
        remote = self._crowd.remote
        assert remote is not None
        for start in range(0, len(updates), _AT_ONCE):
            remote.push(updates[start : start + _AT_ONCE], atomic=False)

    def _pack(self, app: App, name: str, scene: Scene) -> Oid:
        """Make a delta of as many streams and ops as the job says; return its commit."""
        objects, runs, written = app.repository.objects, {}, {}
        for number, agents in enumerate(scene.slices[name], 1):
            stream = str(number)
            runs[stream] = StreamRun(agents)
            ops = list(_make_ops(self._job, name, stream, scene.number))
            written[stream] = b"".join(write_op(op) for op in ops)
        pair = Pair(scene.number, name)
        commit, made = pack_delta(
            pair, scene.commit, runs, written, _AUTHOR, new_nonce(), objects.format
        )
        objects.write(made)
        return commit


def measure(job: FrameJob) -> FrameTimes:
    """Let frames pass, and time them."""
    fleet = Fleet(job)
    times = [fleet.play() for _ in range(job.frames + WARM_UP)][WARM_UP:]
    record = fleet.last().frame
    pull, push, publish = (list(column) for column in zip(*times, strict=True))
    return FrameTimes(pull, push, publish, record.counts.ops, record.conflict_count)


def _make_world(job: FrameJob) -> Founding:
    config = World(deadline=_LONG, lease=_LONG)
    page = {"count": 0, "text": "x" * 800, "seen": [], "said": [], "at": {}}
    body = msgspec.json.encode(page)
    documents = {f"d{number:05}.json": body for number in range(job.documents)}
    agents = [f"a{number:05}" for number in range(job.workers * job.streams * 2)]
    return Founding(
        config=config, documents={**documents, "agents.json": msgspec.json.encode(agents)}
    )


def _make_ops(job: FrameJob, worker: str, stream: str, frame: int) -> Iterator[Op]:
    """Yield the ops of one stream: on two documents, one place of which all streams dispute."""
    first = (int(worker[1:]) * job.streams + int(stream)) * 7 + frame
    docs = [f"d{number % job.documents:05}.json" for number in (first, first * 31)]
    me = f"{worker}-{stream}"
    for number in range(job.ops):
        doc = docs[number % 2]
        match number % 5:
            case 0:
                yield Set(doc=doc, path=f"/at/{me}", value=f"place {number}")
            case 1:
                yield Incr(doc=doc, path="/count", value=number)
            case 2:
                yield Append(doc=doc, path="/said", value={"id": f"{me}-{frame}-{number}"})
            case 3:
                yield Add(doc=doc, path="/seen", value=me)
            case _:
                yield Max(doc=doc, path="/most", value=frame * number)
    yield Set(doc="d00000.json", path="/banner", value=me)


def _attendant(app: App, name: str, *, streams: int = 0, primary: bool = False) -> Attendant:
    stage = Theatre(app).stage
    return Attendant(
        stage,
        presence=None if primary else _beacon(app, name, "worker", streams),
        lease=_beacon(app, name, "primary", 0) if primary else None,
        person=(_AUTHOR.name, _AUTHOR.email),
        listener=lambda news: None,
        settle=0.0,
    )


def _beacon(app: App, name: str, role: Role, streams: int) -> Beacon:
    refs = Theatre(app).stage.refs
    return Beacon(
        ref=refs.lease if role == "primary" else refs.presence(name),
        role=role,
        name=name,
        machine="benchmark",
        person=(_AUTHOR.name, _AUTHOR.email),
        clock=app.clock,
        format=app.repository.objects.format,
        streams=streams,
    )


if __name__ == "__main__":
    answer(measure(read_job(FrameJob)))
