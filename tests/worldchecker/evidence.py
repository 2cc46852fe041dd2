"""The frames of a world and the deltas in them, as they stand in a bare repository."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

RECORD, REPORT, WORLD = "frame.json", "frame-report.json", "world.json"
KEPT = frozenset({RECORD, REPORT, WORLD})
"""Documents that no op may change."""


class Line(NamedTuple):
    """Line ``sequence`` (from 1) of a stream; ``op`` is None for what is no JSON object."""

    frame: int
    worker: str
    stream: str
    sequence: int
    op: Mapping[str, Any] | None


@dataclass(frozen=True)
class Delta:
    """What one worker published for one frame, by its own words and in its own files."""

    commit: str
    parents: tuple[str, ...]
    frame: int
    worker: str
    agents: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def pair(self) -> tuple[int, str]:
        """What names it."""
        return self.frame, self.worker


@dataclass(frozen=True)
class Frame:
    """One commit of the world's branch. ``parents``: all of them; ``deltas``: all but the first."""

    commit: str
    parents: tuple[str, ...]
    blobs: Mapping[str, str]  # document -> object id
    contents: Mapping[str, bytes]  # object id -> content
    deltas: tuple[Delta, ...]

    @cached_property
    def record(self) -> Mapping[str, Any]:
        """``frame.json``."""
        record: Mapping[str, Any] = self.document(RECORD)
        return record

    @cached_property
    def report(self) -> Mapping[str, Any]:
        """Where all conflicts and all quarantined lines of the frame are."""
        report: Mapping[str, Any] = self.document(REPORT if REPORT in self.blobs else RECORD)
        return report

    @property
    def number(self) -> int:
        """The number that the record gives it."""
        return int(self.record["number"])

    def document(self, name: str) -> Any:
        """Return a document decoded; None where there is none."""
        blob = self.blobs.get(name)
        return None if blob is None else json.loads(self.contents[blob])


@dataclass(frozen=True)
class Evidence:
    """Everything: ``frames`` from the oldest on, ``waiting``: pairs whose delta still has a ref."""

    frames: Sequence[Frame]
    waiting: frozenset[tuple[int, str]]


def gather(repo: Path, branch: str = "world") -> Evidence:
    """Return the evidence in the bare repository ``repo``."""
    rows = _ask(repo, "rev-list", "--first-parent", "--reverse", "--parents", branch).splitlines()
    line = [(words[0], tuple(words[1:])) for words in map(str.split, rows)]
    deltas = [parent for _, parents in line for parent in parents[1:]]
    named = _ask(repo, "for-each-ref", "--format=%(objectname)", "refs/baton/frames/*/*").split()
    trees = {commit: _list(repo, commit) for commit in {c for c, _ in line} | {*deltas, *named}}
    blobs = sorted({blob for tree in trees.values() for blob in tree.values()})
    contents = dict(zip(blobs, _read(repo, blobs), strict=True))
    older = _parents(repo, {*deltas, *named})
    published = {
        commit: _read_delta(commit, older[commit], trees[commit], contents)
        for commit in {*deltas, *named}
        if "delta.json" in trees[commit]  # presence and lease are no deltas
    }
    frames = [
        Frame(commit, parents, trees[commit], contents, tuple(published[d] for d in parents[1:]))
        for commit, parents in line
    ]
    return Evidence(frames, frozenset(published[d].pair for d in named if d in published))


def _read_delta(
    commit: str, parents: tuple[str, ...], tree: Mapping[str, str], contents: Mapping[str, bytes]
) -> Delta:
    header = json.loads(contents[tree["delta.json"]])
    frame, worker = int(header["frame"]), str(header["worker"])
    agents = [agent for run in header["streams"].values() for agent in run["agents"]]
    lines: list[Line] = []
    for stream in header["streams"]:
        blob = tree.get(f"streams/{stream}.jsonl")
        data = contents[blob] if blob is not None else b""
        lines += (Line(frame, worker, stream, at, op) for at, op in read_lines(data))
    return Delta(commit, parents, frame, worker, tuple(agents), tuple(lines))


def read_lines(data: bytes) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    """Yield (number from 1, object) of each line; None for what is no JSON object."""
    for at, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            op = json.loads(line)
        except ValueError:
            op = None
        yield at, op if isinstance(op, dict) else None


def _list(repo: Path, commit: str) -> dict[str, str]:
    rows = _ask(repo, "ls-tree", "-r", "-z", commit).split("\0")
    return {name: head.split()[2] for head, _, name in (r.partition("\t") for r in rows if r)}


def _parents(repo: Path, commits: Iterable[str]) -> dict[str, tuple[str, ...]]:
    wanted = sorted(commits)
    if not wanted:
        return {}
    rows = _ask(repo, "rev-list", "--no-walk", "--parents", *wanted).splitlines()
    return {words[0]: tuple(words[1:]) for words in map(str.split, rows)}


def _read(repo: Path, blobs: Sequence[str]) -> list[bytes]:
    out = _git(repo, "cat-file", "--batch", stdin="".join(f"{b}\n" for b in blobs).encode())
    found, at = [], 0
    while at < len(out):
        end = out.index(b"\n", at)
        size = int(out[at:end].split()[2])
        found.append(out[end + 1 : end + 1 + size])
        at = end + size + 2
    return found


def _ask(repo: Path, *words: str) -> str:
    return _git(repo, *words).decode()


def _git(repo: Path, *words: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(
        ["git", "--no-replace-objects", "-C", str(repo), *words],
        input=stdin,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, f"git {words[0]}: {done.stderr.decode(errors='replace')}"
    return done.stdout
