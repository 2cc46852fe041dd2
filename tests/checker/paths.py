"""Path reservations: tasks whose paths can meet are never in progress together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations

from tests.checker.claims import epoch, status
from tests.checker.evidence import Evidence
from tests.checker.finding import Finding, Invariant
from tests.checker.globs import meet
from tests.checker.records import Version

RECORD = "locks/paths"


@dataclass(frozen=True, slots=True)
class Hold:
    """A task with paths in progress in one epoch, from one second to another."""

    task: str
    epoch: int
    paths: tuple[str, ...]
    since: float
    until: float = math.inf

    def __str__(self) -> str:
        return f"{self.task} epoch {self.epoch} {list(self.paths)}"


def check_paths(evidence: Evidence, *, one_clock: bool) -> Iterator[Finding]:
    """Find reservations that meet.

    What one version of the record of reservations holds was in progress together when it was
    written. What is still in progress at the end was so together. In between, only times tell:
    they are compared where all machines of the run had ``one_clock``.
    """
    for version in evidence.versions.values():
        if version.key == RECORD:
            for one, other in combinations(_entries(version), 2):
                if _meet(one, other):
                    yield Finding(Invariant.PATHS, str(version), f"reserves {one} and {other}")
    for one, other in combinations(_holds(evidence), 2):
        still = one.until == other.until == math.inf
        together = max(one.since, other.since) < min(one.until, other.until)
        if (still or (one_clock and together)) and _meet(one, other):
            text = f"{one} and {other} were in progress together"
            yield Finding(Invariant.PATHS, f"tasks/{one.task}", text)


def _meet(one: Hold, other: Hold) -> bool:
    return one.task != other.task and meet(one.paths, other.paths)


def _entries(version: Version) -> list[Hold]:
    return [
        Hold(entry["task"], entry["epoch"], tuple(entry["paths"]), 0.0)
        for entry in version.value.get("entries", ())
    ]


def _holds(evidence: Evidence) -> Iterator[Hold]:
    """Return every claim of a task with paths that was handed to somebody."""
    for _, versions in evidence.lives():
        open_hold: Hold | None = None
        for version in versions:
            held = version.is_task and status(version) == "in-progress"
            if held and open_hold is None and version.value.get("paths"):
                paths = tuple(version.value["paths"])
                open_hold = Hold(version.name, epoch(version), paths, _seconds(version))
            elif not held and open_hold is not None:
                # Won, and given back after a second look before anybody got the token.
                if ": withdrawn: " not in version.subject:
                    yield replace(open_hold, until=_seconds(version))
                open_hold = None
        if open_hold is not None:
            yield open_hold


def _seconds(version: Version) -> float:
    return datetime.fromisoformat(version.at).timestamp()
