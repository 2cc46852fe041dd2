"""A small world and its ledger, made with plain git: by itself right, to be spoiled by plants.

Four agents on two workers live through four frames. In frame 1 the banner is disputed and a line is
no op; ben's delta of frame 1 is late and merged with those of frame 2; in frame 3 a worker is
killed, and what its stream wrote is nowhere.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.worldchecker.evidence import Line
from tests.worldchecker.merging import is_op, merge_again

AGENTS: Final = {"ada": ["a1", "a2"], "ben": ["b1", "b2"]}
_WHO: Final = "story <story@gitbaton.invalid> 1700000000 +0000"


@dataclass
class DeltaDraft:
    """A delta to be written. ``base``: the index of the frame it was made for; None: an orphan."""

    frame: int
    worker: str
    agents: list[str]
    ops: list[Any]
    base: int | None

    def lines(self) -> Iterator[Line]:
        """Yield its lines as evidence would."""
        for at, op in enumerate(self.ops, start=1):
            yield Line(self.frame, self.worker, "s1", at, op if isinstance(op, dict) else None)


@dataclass
class FrameDraft:
    """A frame to be written, as the deltas make it, unless a plant says otherwise."""

    record: dict[str, Any]
    documents: dict[str, Any]
    deltas: list[DeltaDraft]


@dataclass
class Story:
    """The frames, the runs in the ledger, and the lives that were ended by force."""

    frames: list[FrameDraft] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    killed: set[str] = field(default_factory=set)

    def publish(self, *deltas: DeltaDraft) -> None:
        """Add the frame that ``deltas`` make of the last one."""
        before = self.frames[-1]
        lines = [line for delta in deltas for line in delta.lines()]
        merged = merge_again(before.documents, lines)
        record = {
            "number": before.record["number"] + 1,
            "merged": [[delta.frame, delta.worker] for delta in deltas],
            "conflicts": [{"doc": doc, "path": path} for doc, path in sorted(merged.disagreeing)],
            "quarantined": [
                {"frame": line.frame, "worker": line.worker, "stream": "s1", "line": line.sequence}
                for line in lines
                if not is_op(line)
            ],
        }
        self.frames.append(FrameDraft(record, merged.documents, list(deltas)))

    def remake(self, first: int) -> None:
        """Make the frames from index ``first`` on anew: their deltas were changed."""
        later = [frame.deltas for frame in self.frames[first:]]
        del self.frames[first:]
        for deltas in later:
            self.publish(*deltas)

    def run(self, worker: str, frame: int, *more: Any, ended: bool = True) -> DeltaDraft:
        """Let a worker run its agents in ``frame``; return the delta, noted in the ledger."""
        word = f"{worker}{frame}"
        ops = [op for agent in AGENTS[worker] for op in _habits(agent, frame, word)]
        delta = DeltaDraft(frame, worker, list(AGENTS[worker]), [*ops, *more], frame)
        run = {"run": word, "frame": frame, "stream": "s1", "life": word}
        self.runs.append({**run, "agents": delta.agents, "lines": list(delta.ops), "ended": ended})
        return delta

    # --- to disk

    def write(self, place: Path) -> tuple[Path, Path]:
        """Write repository and ledger below ``place``; return where they are."""
        repo, ledger = place / "remote.git", place / "ledger"
        subprocess.run(["git", "init", "-q", "--bare", str(repo)], check=True)
        done = subprocess.run(
            ["git", "-C", str(repo), "fast-import", "--quiet", "--force"],
            input="".join(self._import()).encode(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        (ledger / "killed").mkdir(parents=True)
        for life in self.killed:
            (ledger / "killed" / life).touch()
        for run in self.runs:
            (ledger / f"{run['run']}.jsonl").write_text("".join(_ledger_lines(run)))
        return repo, ledger

    def _import(self) -> Iterator[str]:
        marks: dict[int, int] = {}  # id of a delta draft -> its mark
        for at, frame in enumerate(self.frames):
            for delta in frame.deltas:
                if id(delta) not in marks:
                    marks[id(delta)] = 1000 + len(marks)
                    base = [] if delta.base is None else [delta.base + 1]
                    yield from _commit("refs/heads/d", marks[id(delta)], base, _delta_files(delta))
            parents = [at, *(marks[id(delta)] for delta in frame.deltas)] if at else []
            files = {"frame.json": frame.record, **frame.documents}
            texts = {name: json.dumps(content) for name, content in files.items()}
            yield from _commit("refs/heads/world", at + 1, parents, texts)
        yield "reset refs/heads/d\nfrom 0000000000000000000000000000000000000000\n\n"


def tell() -> Story:
    """Return the story as it should be."""
    documents = {
        "agents.json": sorted([*AGENTS["ada"], *AGENTS["ben"]]),
        "map.json": {"town": "never changes"},
        **{f"diary/{who}.json": {"entries": []} for who in (*AGENTS["ada"], *AGENTS["ben"])},
    }
    record: Mapping[str, Any] = {"number": 0, "merged": [], "conflicts": [], "quarantined": []}
    story = Story([FrameDraft(dict(record), documents, [])])
    story.publish(story.run("ada", 0), story.run("ben", 0))
    bad = {"op": "explode", "doc": "square.json", "path": "/banner"}
    disputed = story.run("ada", 1, _banner("ada"), bad, "no JSON")
    story.publish(disputed)
    late = story.run("ben", 1, _banner("ben"))
    story.publish(late, story.run("ada", 2, _banner("ada again")), story.run("ben", 2))
    story.run("ben", 3)
    story.killed.add("ben3")
    story.publish(story.run("ada", 3))
    return story


def _habits(agent: str, frame: int, word: str) -> Iterator[dict[str, Any]]:
    who = f"{agent} {word}"
    entry = {"id": f"{agent}-{frame}-{word}", "frame": frame}
    diary = f"diary/{agent}.json"
    yield {"op": "append", "doc": diary, "path": "/entries", "value": entry, "key": entry["id"]}
    yield {"op": "incr", "doc": "totals.json", "path": f"/steps/{agent}", "value": 1, "agent": who}
    yield {"op": "max", "doc": "totals.json", "path": "/best", "value": frame, "agent": who}
    yield {"op": "add", "doc": "seen.json", "path": "/all", "value": agent, "note": who}


def _banner(text: str) -> dict[str, Any]:
    return {"op": "set", "doc": "square.json", "path": "/banner", "value": text}


def _delta_files(delta: DeltaDraft) -> dict[str, str]:
    header = {
        "format": 1,
        "frame": delta.frame,
        "worker": delta.worker,
        "streams": {"s1": {"agents": delta.agents}},
    }
    lines = [op if isinstance(op, str) else json.dumps(op) for op in delta.ops]
    return {"delta.json": json.dumps(header), "streams/s1.jsonl": "".join(f"{n}\n" for n in lines)}


def _ledger_lines(run: Mapping[str, Any]) -> Iterator[str]:
    head = {name: run[name] for name in ("run", "frame", "stream", "life", "agents")}
    yield json.dumps(head) + "\n"
    for op in run["lines"]:
        yield f"> {op if isinstance(op, str) else json.dumps(op)}\n"
    if run["ended"]:
        yield "end\n"


def _commit(ref: str, mark: int, parents: list[int], files: Mapping[str, str]) -> Iterator[str]:
    yield f"reset {ref}\n\ncommit {ref}\nmark :{mark}\ncommitter {_WHO}\ndata 0\n"
    for word, parent in zip(["from", *["merge"] * len(parents)], parents, strict=False):
        yield f"{word} :{parent}\n"
    yield "deleteall\n"
    for name, text in files.items():
        yield f"M 100644 inline {name}\ndata {len(text.encode())}\n{text}\n"
    yield "\n"
