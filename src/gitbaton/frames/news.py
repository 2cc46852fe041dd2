"""What a worker or primary of frames says of what it does, while it does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal[
    "started",  # the process looks at the world for the first time
    "frame",  # a frame began, and this worker has agents in it (detail: agents, streams)
    "idle",  # a frame began in which this worker has none
    "stream",  # a stream did not end well (detail: stream, outcome, detail, log)
    "delivered",  # this worker's delta is there (detail: streams, seconds)
    "refused",  # the host does not take this worker's delta: it was put aside (detail: commit)
    "late",  # ... after its frame had closed: it goes into the next one
    "primary",  # this process is the primary now
    "deposed",  # ... and no longer
    "published",  # a frame was published (detail: merged, changed, conflicts, quarantined, seconds)
    "waiting",  # what the primary waits for (detail: workers, seconds)
    "offline",  # the remote cannot be reached; it goes on trying
    "online",  # ... and can be again
    "trouble",  # something that did not end it (detail: error)
    "stopped",
]


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened: at which frame, and in words. ``detail`` is for programs."""

    kind: Kind
    frame: int
    text: str
    detail: Mapping[str, Any] = field(default_factory=dict)


Listener: TypeAlias = Callable[[News], None]
"""Called from several threads, one call at a time."""


def counted(number: int, word: str) -> str:
    """Return ``number`` and ``word``, such as ``1 delta`` or ``3 deltas``."""
    return f"{number} {word}" + ("" if number == 1 else "s")
