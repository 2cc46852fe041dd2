"""What one stream is given and what it leaves: the contract between a worker and a stream."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from gitbaton.core.clock import Clock
from gitbaton.frames.delta import Outcome
from gitbaton.frames.op import Op
from gitbaton.frames.stream import OpsWriter, Stream, StreamView


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One stream's part of a frame. ``place`` is its own directory; ``timeout`` in seconds."""

    frame: int
    worker: str
    stream: str
    agents: tuple[str, ...]
    world: Path
    place: Path
    timeout: float

    @property
    def agents_file(self) -> Path:
        """The JSON file that lists the agents."""
        return self.place / "agents.json"

    @property
    def ops_file(self) -> Path:
        """The file that the stream appends its ops to."""
        return self.place / "ops.jsonl"

    @property
    def log(self) -> Path:
        """The file that gets what the stream prints."""
        return self.place / "output.log"

    @property
    def environment(self) -> dict[str, str]:
        """What a command sees besides the worker's own environment."""
        return {
            "BATON_FRAME": str(self.frame),
            "BATON_WORLD": str(self.world),
            "BATON_STREAM": self.stream,
            "BATON_AGENTS": str(self.agents_file),
            "BATON_OPS": str(self.ops_file),
            "BATON_WORKER": self.worker,
        }

    def prepare(self) -> None:
        """Make the directory and the list of agents."""
        self.place.mkdir(parents=True, exist_ok=True)
        self.ops_file.unlink(missing_ok=True)
        names = json.dumps(list(self.agents), ensure_ascii=False)
        self.agents_file.write_text(names, encoding="utf-8")

    @property
    def written(self) -> int:
        """How many bytes the stream wrote; nothing where it left no regular file."""
        try:
            found = self.ops_file.lstat()
        except OSError:
            return 0
        return found.st_size if stat.S_ISREG(found.st_mode) else 0

    def collect(self, limit: int) -> bytes:
        """Return what the stream wrote; nothing where it left no regular file (I8).

        A file of more than ``limit`` bytes shows so by one byte more.
        """
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            handle = os.open(self.ops_file, flags)
        except OSError:
            return b""
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            return b""
        with os.fdopen(handle, "rb") as file:
            return file.read(limit + 1)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a stream's run ended. What it wrote counts in any case."""

    outcome: Outcome
    detail: str = ""


_PLACEHOLDER = re.compile(r"\{(frame|world|stream|agents|ops)\}")

Halt: TypeAlias = Callable[[], str | None]
"""Asked while a stream runs: a text is the reason to stop it."""

Runner: TypeAlias = Callable[[Errand, Halt], Ended]
"""Runs one stream to its end and leaves no process behind. What a stream does raises nothing."""


def run_in_process(stream: Stream, clock: Clock) -> Runner:
    """Return what runs ``stream`` as a function in this process.

    Time and halt are looked at between two ops: a function cannot be ended from outside.
    """

    def run(errand: Errand, halt: Halt) -> Ended:
        began = clock.elapsed()
        view = StreamView(errand.frame, errand.stream, errand.agents, errand.world)
        writer = OpsWriter(errand.ops_file)
        try:
            for op in _iterate(stream, view):
                writer.write(op)
                if clock.elapsed() - began >= errand.timeout:
                    return Ended("timed-out", f"after {errand.timeout:.0f}s")
                if (why := halt()) is not None:
                    return Ended("failed", why)
        except Exception as error:  # noqa: BLE001 - whatever a stream raises is its own end, and no one else's
            return Ended("failed", f"{type(error).__name__}: {error}"[:500])
        return Ended("ok")

    return run


def _iterate(stream: Stream, view: StreamView) -> Iterable[Op]:
    return iter(stream(view))


def fill_in(words: Iterable[str], errand: Errand) -> tuple[str, ...]:
    """Return the words of a command with its placeholders filled in; no shell sees them (I8)."""
    values: Mapping[str, str] = {
        "frame": str(errand.frame),
        "world": str(errand.world),
        "stream": errand.stream,
        "agents": str(errand.agents_file),
        "ops": str(errand.ops_file),
    }
    return tuple(_PLACEHOLDER.sub(lambda found: values[found[1]], word) for word in words)
