"""The results of one run: what is written as JSON, and all that tables and plots are made from."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

import msgspec

_PERCENT = 100


class Times(msgspec.Struct, frozen=True):
    """Milliseconds. The 99th percentile of fewer than a hundred is all but the greatest."""

    count: int
    p50: float
    p99: float
    least: float
    most: float


class Machine(msgspec.Struct, frozen=True):
    """Where it was measured. ``tools``: other tools looked for, and where they are (none: null)."""

    cores: int
    processor: str
    memory_gib: float
    kernel: str
    python: str
    git: str
    gitbaton: str
    servers: dict[str, str]
    tools: dict[str, str | None]


class LatencyResult(msgspec.Struct, frozen=True):
    """Claims over one link, by contender; ``round_trip``: of one byte over TCP, in between."""

    link: str
    added_ms: float | None
    served_by: str
    round_trip: Times | None
    claims: dict[str, Times]


class RaceResult(msgspec.Struct, frozen=True):
    """Claimants that empty a backlog together. ``pushes``: null where there are none (Redis)."""

    contender: str
    claimers: int
    batch: int
    tasks: int
    claims: int
    seconds: float
    per_second: float
    pushes: int | None
    pushes_per_claim: float | None
    doubles: int
    unconfirmed: int
    findings: int


class WorkResult(msgspec.Struct, frozen=True):
    """One ``baton work``. ``thinking``: seconds of sleep in a task, from and to."""

    slots: int
    tasks: int
    landed: int
    thinking: tuple[int, int]
    seconds: float
    per_minute: float
    pushes: int
    pushes_per_task: float
    cpu_per_task: float
    findings: int


class BacklogResult(msgspec.Struct, frozen=True):
    """A backlog of ``size``. ``add_s``: `baton add --from`. ``command``: `baton ready --json`."""

    size: int
    add_s: float
    first_look_ms: float
    claim: Times
    look: Times
    command: Times


class CommitLatency(msgspec.Struct, frozen=True):
    """Commits of one file in a repository of ``files``, one at a time, without hooks, by way."""

    files: int
    times: dict[str, Times]


class CommitRace(msgspec.Struct, frozen=True):
    """Processes that commit in one working tree while a neighbour makes it dirty.

    ``wrong``: commits that do not hold exactly their file. ``times``: null where none succeeded.
    """

    contender: str
    processes: int
    attempts: int
    committed: int
    wrong: int
    times: Times | None


class HookedCommits(msgspec.Struct, frozen=True):
    """Commits with a hook in a repository of ``files``: the first, and those after it."""

    files: int
    first_ms: float
    later: Times


class FrameResult(msgspec.Struct, frozen=True):
    """Frames of a fleet. ``coordination``: one worker's pull and push, then merge and publish."""

    workers: int
    documents: int
    ops: int
    conflicts: int
    pull: Times
    push: Times
    publish: Times
    coordination: Times


class FrameScaling(msgspec.Struct, frozen=True):
    """Workers whose streams sleep; ``sleep`` and ``seconds`` (of a frame) in seconds."""

    workers: int
    streams: int
    sleep: float
    frames: int
    seconds: float
    streams_per_minute: float


class MergeRate(msgspec.Struct, frozen=True):
    """One frame's deltas merged in process, from their files to the bytes of documents."""

    workload: str
    ops: int
    conflicts: int
    documents: int
    times: Times
    per_second: int


class Missing(msgspec.Struct, frozen=True):
    """Something that was not measured, and why."""

    what: str
    why: str


class Document(msgspec.Struct, kw_only=True):
    """Everything that one run found out. ``load``: the machine's, of the last minute."""

    format: int = 1
    scale: str
    started: str
    seconds: float = 0.0
    load_before: float = 0.0
    load_after: float = 0.0
    machine: Machine
    latency: list[LatencyResult] = msgspec.field(default_factory=list)
    races: list[RaceResult] = msgspec.field(default_factory=list)
    pushes: list[WorkResult] = msgspec.field(default_factory=list)
    backlog: list[BacklogResult] = msgspec.field(default_factory=list)
    parallel: list[WorkResult] = msgspec.field(default_factory=list)
    commits: list[CommitLatency] = msgspec.field(default_factory=list)
    commit_races: list[CommitRace] = msgspec.field(default_factory=list)
    hooked_commits: list[HookedCommits] = msgspec.field(default_factory=list)
    frames: list[FrameResult] = msgspec.field(default_factory=list)
    frame_scaling: list[FrameScaling] = msgspec.field(default_factory=list)
    merging: list[MergeRate] = msgspec.field(default_factory=list)
    skipped: list[Missing] = msgspec.field(default_factory=list)
    failed: list[Missing] = msgspec.field(default_factory=list)


def summarise(seconds: Sequence[float]) -> Times:
    """Return what is worth keeping of some measured times; at least one."""
    ordered = sorted(seconds)
    last = len(ordered) - 1
    p99 = ordered[min(last, -(-last * 99 // _PERCENT))]
    shown = (statistics.median(ordered), p99, ordered[0], ordered[-1])
    return Times(len(ordered), *(round(value * 1000, 3) for value in shown))


def write(document: Document, path: Path) -> None:
    """Write the results so that a change is seen line by line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")


def read(path: Path) -> Document:
    """Return the results in a file. Raises msgspec.ValidationError."""
    return msgspec.json.decode(path.read_bytes(), type=Document)
