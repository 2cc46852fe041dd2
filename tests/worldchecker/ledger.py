"""The ledger: what every run of a stream wrote down for itself, whatever became of it.

One file a run, outside of git: first ``{"run", "frame", "stream", "life", "agents"}`` in JSON,
then every line, after ``> ``, before it is written to the ops file, and ``end`` at last. ``life``
names the worker's process. Lives that were ended by force are in ``killed/``, an empty file each.
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
    first, *rest = whole.split("\n")
    head = json.loads(first)
    return Run(
        head["run"],
        head["frame"],
        head["stream"],
        head["life"],
        tuple(head["agents"]),
        tuple(line.removeprefix("> ") for line in rest if line.startswith("> ")),
        ended=rest[-1:] == ["end"],
    )
