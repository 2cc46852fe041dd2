"""Streams in process: what a Python stream sees, and a writer for programs run as a command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from gitbaton.frames.op import Op


@dataclass(frozen=True, slots=True)
class StreamView:
    """One stream's part of a frame: its number, its agents, and the world, read only."""

    frame: int
    stream: str
    agents: tuple[str, ...]
    world: Path
    """A directory with the documents of the world."""

    def read(self, doc: str) -> Any:
        """Return the document ``doc`` decoded; None where there is none."""
        raise NotImplementedError

    def documents(self) -> tuple[str, ...]:
        """Return the names of all documents, in order."""
        raise NotImplementedError


Stream: TypeAlias = Callable[[StreamView], Iterable[Op]]
"""A stream written in Python: the ops that its agents want in this frame."""


class OpsWriter:
    """Appends ops to a file, one whole line each: what is written stays if the stream is killed."""

    def __init__(self, path: Path) -> None:
        raise NotImplementedError

    def write(self, *ops: Op) -> None:
        """Append ``ops``; raise InvalidInput naming the field of one that would be refused."""
        raise NotImplementedError


def open_view(environment: Mapping[str, str]) -> StreamView:
    """Return the view that ``BATON_FRAME``, ``BATON_WORLD``, … in ``environment`` describe."""
    raise NotImplementedError


def open_writer(environment: Mapping[str, str]) -> OpsWriter:
    """Return a writer to the file that ``BATON_OPS`` in ``environment`` names."""
    raise NotImplementedError
