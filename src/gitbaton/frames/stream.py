"""Streams in process: what a Python stream sees, and a writer for programs run as a command.

    def stream(view: StreamView) -> Iterable[Op]:
        for agent in view.agents:
            yield Incr("town.json", f"/steps/{agent}")

A program in its own process does the same with ``open_view(os.environ)`` and
``open_writer(os.environ)``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from gitbaton.core.errors import InvalidInput
from gitbaton.frames.canonical import decode_document
from gitbaton.frames.codec import write_op
from gitbaton.frames.names import document_name, stream_name
from gitbaton.frames.op import Op


@dataclass(frozen=True, slots=True)
class StreamView:
    """One stream's part of a frame: its number, its agents, and the world, read only.

    ``world`` is a directory with the documents of the world.
    """

    frame: int
    stream: str
    agents: tuple[str, ...]
    world: Path

    def read(self, doc: str) -> Any:
        """Return the document ``doc`` decoded; None where there is none.

        Raises InvalidInput where ``doc`` is no document's name, DamagedRecord where it is no JSON.
        """
        try:
            data = (self.world / document_name(doc)).read_bytes()
        except FileNotFoundError:
            return None
        return decode_document(doc, data)

    def documents(self) -> tuple[str, ...]:
        """Return the names of all documents, in order."""
        found = (path.relative_to(self.world).as_posix() for path in self.world.rglob("*.json"))
        return tuple(sorted(found))


Stream: TypeAlias = Callable[[StreamView], Iterable[Op]]
"""A stream written in Python: the ops that its agents want in this frame."""


class OpsWriter:
    """Appends ops to a file, whole lines at once: what is written stays if the stream is killed."""

    def __init__(self, path: Path) -> None:
        """Write to ``path``, which is made when it is first written to."""
        self.path = path

    def write(self, *ops: Op) -> None:
        """Append ``ops``; raise InvalidInput naming the field of one that would be refused.

        Then none of them is written.
        """
        lines = b"".join(write_op(op) for op in ops)
        with self.path.open("a+b", buffering=0) as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a writer before this one was killed in mid-line
                    lines = b"\n" + lines
            rest = memoryview(lines)
            while rest:
                rest = rest[file.write(rest) or 0 :]


def open_view(environment: Mapping[str, str]) -> StreamView:
    """Return the view that ``BATON_FRAME``, ``BATON_WORLD``, … in ``environment`` describe.

    Raises InvalidInput naming the one that is missing or wrong.
    """
    agents = Path(_given(environment, "BATON_AGENTS"))
    number = _given(environment, "BATON_FRAME")
    if not (number.isascii() and number.isdigit()):
        raise InvalidInput("BATON_FRAME", f"{number!r:.80} is no number of a frame")
    try:
        names = msgspec.json.decode(agents.read_bytes(), type=tuple[str, ...])
    except (OSError, msgspec.DecodeError, ValueError) as error:
        raise InvalidInput("BATON_AGENTS", f"{agents} has no list of agents: {error}") from error
    return StreamView(
        frame=int(number),
        stream=stream_name(_given(environment, "BATON_STREAM"), field="BATON_STREAM"),
        agents=names,
        world=Path(_given(environment, "BATON_WORLD")),
    )


def open_writer(environment: Mapping[str, str]) -> OpsWriter:
    """Return a writer to the file that ``BATON_OPS`` in ``environment`` names."""
    return OpsWriter(Path(_given(environment, "BATON_OPS")))


def _given(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if not value:
        raise InvalidInput(name, "it is not set: `baton frame work` sets it for its streams")
    return value
