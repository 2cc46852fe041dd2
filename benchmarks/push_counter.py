"""Counts pushes: how often receive-pack was started, and of ours also what went without it.

Git itself keeps the count: with ``GIT_TRACE2_EVENT`` every git process appends what it is and does
to a file, the server's processes too, which a remote at a path starts as children of the client.
A push that is refused counts, and one that finds nothing to send. Source: Documentation
technical/api-trace2. On a remote at a path gitbaton moves records by ref transactions, with no
receive-pack to be seen: there its own log counts, a line a push, of whatever kind.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_QUESTIONS = ("--advertise-refs", "--http-backend-info-refs")


@dataclass(frozen=True)
class PushCounter:
    """Counts the pushes of everything that runs in ``watched`` environments."""

    file: Path

    def watched(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return ``env`` with the count kept."""
        return {**env, "GIT_TRACE2_EVENT": str(self.file)}

    def count(self, clones: Iterable[Path] = ()) -> int:
        """Return how many pushes there were; ``clones``: those in which gitbaton kept a log."""
        logged = [line for clone in clones for line in _read_log(clone)]
        return max(len(logged), self._count_started())

    def _count_started(self) -> int:
        if not self.file.exists():
            return 0
        with self.file.open() as lines:
            return sum(_is_push(json.loads(line)) for line in lines if '"start"' in line)


def _read_log(clone: Path) -> list[str]:
    files = (clone / ".git" / "baton").glob("pushes*")
    return [line for file in files for line in file.read_text().splitlines()]


def _is_push(event: Mapping[str, Any]) -> bool:
    words = event.get("argv", [])
    if event.get("event") != "start" or any(word in _QUESTIONS for word in words):
        return False
    return any(word.endswith("receive-pack") for word in words[:2])
