"""The ledger: what every run of a stream wrote down for itself, whatever became of it.

One file of JSON lines a run, outside of git: first ``{"run", "frame", "stream", "life",
"agents"}``, then every line before it is written to the ops file, as ``{"line": text}``, and in
the end ``{"end": true}``. ``life`` names the worker's process. Lives that were ended by force are
in ``killed/``, one empty file each.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a stream. ``ended``: it came to its own end."""

    run: str
    frame: int
    stream: str
    life: str
    agents: tuple[str, ...]
    lines: tuple[str, ...]
    ended: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """All runs, and the lives that were ended by force."""

    runs: Sequence[Run]
    killed: frozenset[str]


def read_ledger(place: Path) -> Ledger:
    """Return what is in the directory ``place``. A line cut short by a kill ends its run."""
    killed = place / "killed"
    lives = frozenset(file.name for file in killed.iterdir()) if killed.is_dir() else frozenset()
    runs = [run for file in sorted(place.glob("*.jsonl")) if (run := _read_run(file)) is not None]
    return Ledger(runs, lives)


def _read_run(file: Path) -> Run | None:
    whole, _, _ = file.read_text(encoding="utf-8").rpartition("\n")
    if not whole:
        return None  # killed before it began
    head, *rest = (json.loads(line) for line in whole.split("\n"))
    return Run(
        head["run"],
        head["frame"],
        head["stream"],
        head["life"],
        tuple(head["agents"]),
        tuple(entry["line"] for entry in rest if "line" in entry),
        ended=bool(rest) and "end" in rest[-1],
    )
