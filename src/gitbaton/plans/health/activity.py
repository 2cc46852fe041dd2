"""Whether agents still do something: what they print, and the files that they change.

Cheap enough for a look every few seconds: one ``stat`` of the log, and a walk over the newest
times of the worktree that ends after so many entries. Git is not asked.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.plans.health.rules import Activity
from gitbaton.tasks.leases import Observation, Subject, look

MOST_ENTRIES: Final = 20_000  # of a worktree; about 50 ms
_CAP: Final = 60.0  # seconds between two looks count at most: suspended is not stalled


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent at work: its claim, its log and its worktree."""

    task: str
    epoch: int
    log: Path
    worktree: Path


class ActivityWatch:
    """Watches agents of this process on its clock. Thread-safe."""

    def __init__(self, clock: Clock, *, most: int = MOST_ENTRIES) -> None:
        self._clock, self._most = clock, most
        self._seen: dict[tuple[str, int], Observation] = {}
        self._lock = threading.Lock()

    def look(self, agents: list[Agent]) -> list[Activity]:
        """Return for how long each of ``agents``, all there are, has done nothing."""
        with self._lock:
            before, self._seen = self._seen, {}
            return [self._look(agent, before) for agent in agents]

    def _look(self, agent: Agent, before: Mapping[tuple[str, int], Observation]) -> Activity:
        asked = self._clock.elapsed()
        mark = f"{log_mark(agent.log)} {tree_mark(agent.worktree, self._most)}"
        seen = look(
            before.get((agent.task, agent.epoch)),
            Subject("lease", mark, _CAP),
            origin=self._clock.origin,
            asked=asked,
            answered=self._clock.elapsed(),
        )
        self._seen[agent.task, agent.epoch] = seen
        return Activity(agent.task, agent.epoch, seen.watched)


def log_mark(log: Path) -> str:
    """Return what changes with every line that is printed. A full log keeps its size, so: when."""
    try:
        found = log.stat()
    except OSError:
        return "no log"
    return f"{found.st_size} {found.st_mtime_ns}"


def tree_mark(top: Path, most: int = MOST_ENTRIES) -> str:
    """Return what changes with the files below ``top``: how many, and the newest change of any.

    At most ``most`` entries are looked at, those near the top first. Links are not followed.
    """
    newest = count = 0
    level = [top]
    while level and count < most:
        below: list[Path] = []
        for directory in level:
            try:
                with os.scandir(directory) as entries:
                    for entry in entries:
                        count += 1
                        if count > most:
                            break
                        newest = max(newest, entry.stat(follow_symlinks=False).st_mtime_ns)
                        if entry.is_dir(follow_symlinks=False):
                            below.append(Path(entry.path))
            except OSError:
                continue  # it has just gone, or is not ours to read
        level = below
    return f"{count} {newest}"
