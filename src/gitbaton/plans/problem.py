"""What is wrong with a plan file, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["error", "warning", "note"]
Code: TypeAlias = Literal[
    "syntax",
    "missing",
    "unknown-key",
    "type",
    "invalid",
    "toolchain",
    "too-many",
    "duplicate-id",
    "unknown-need",
    "circle",
    "no-check",
    "duplicate-branch",
    "branch-clash",
    "no-capability",
    "unknown-worker",
    "pin",
    "paths",
    "no-worker",
]
"""What kind of problem it is, for programs. The meanings: docs/reference/plans.md."""

Path: TypeAlias = tuple[str | int, ...]
"""Where a value stands: keys and positions in lists, such as ``("phase", 2, "needs", 0)``."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to say about the file. ``line`` counts from 1; ``code`` is for programs."""

    line: int
    level: Level
    code: Code
    message: str
    phase: str | None = None
    field: str | None = None

    def located(self, file: str) -> str:
        """Return it in the form that editors jump to: ``file:line: level: message``."""
        return f"{file}:{self.line}: {self.level}: {self.message}"


@dataclass(frozen=True, slots=True)
class Places:
    """The lines on which the keys and list items of a file stand."""

    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """Return the line of ``path``, or of the nearest thing around it that has one."""
        for length in range(len(path), 0, -1):
            found = self.lines.get(path[:length])
            if found is not None:
                return found
        return 1


def in_order(problems: Iterable[Problem]) -> Sequence[Problem]:
    """Return errors, then warnings, then notes, each from the top of the file to its end."""
    rank = {"error": 0, "warning": 1, "note": 2}
    return sorted(problems, key=lambda p: (rank[p.level], p.line, p.message))
