"""The frame's record (``frame.json``), its report, and the world's configuration (``world.json``).

All three are documents of the world. ``frame.json`` is small whatever happens: it lists the first
conflicts and quarantined lines; where there are more, all of them are in ``frame-report.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from msgspec import Meta, Struct

from gitbaton.frames.codec import Quarantined
from gitbaton.frames.conflict import Conflict
from gitbaton.frames.merge import Counts, MergeResult
from gitbaton.frames.rules import Rule

FORMAT: Final = 1
LISTED: Final = 50  # conflicts, and quarantined lines, in frame.json


class Agents(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the world keeps its agents: an array of names, or an object whose names they are."""

    doc: str = "agents.json"
    path: str = ""


class World(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=False):
    """`world.json`: how this world's frames run. People write it; a frame reads it anew."""

    format: int = FORMAT
    agents: Agents = Agents()
    deadline: Annotated[float, Meta(description="Seconds a frame waits for a live worker.")] = 180.0
    lease: Annotated[float, Meta(description="Seconds a primary or worker may be silent.")] = 60.0
    keep: Annotated[int, Meta(description="Frames in a clone's working history; 0: all.")] = 0
    rules: tuple[Rule, ...] = ()
    assigned: Annotated[
        Mapping[str, str], Meta(description="Which worker runs an agent, where people say so.")
    ] = {}


class Frame(Struct, frozen=True, kw_only=True):
    """`frame.json`: the clock, and what made this frame out of the one before."""

    format: int = FORMAT
    number: int
    roster: Mapping[str, int]  # worker -> streams: who runs agents in this frame
    merged: tuple[tuple[int, str], ...] = ()  # (frame, worker) pairs that this frame consumed
    missing: tuple[str, ...] = ()  # live workers that were not waited for
    counts: Counts = Counts()
    changed: int = 0  # documents
    conflicts: tuple[Conflict, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    conflict_count: int = 0
    quarantined_count: int = 0


def first_frame(roster: Mapping[str, int] | None = None) -> Frame:
    """Return the record of frame 0."""
    return Frame(number=0, roster=dict(roster or {}))


def next_frame(
    before: Frame, result: MergeResult, *, roster: Mapping[str, int], missing: tuple[str, ...] = ()
) -> tuple[Frame, dict[str, bytes | None]]:
    """Return the record of the frame after ``before`` and all documents that change with it.

    The documents are those of ``result``, ``frame.json`` and ``frame-report.json`` (None: gone).
    """
    raise NotImplementedError


def encode_frame(frame: Frame) -> bytes:
    """Return ``frame.json``."""
    raise NotImplementedError


def decode_frame(data: bytes) -> Frame:
    """Return the frame in ``frame.json``, or raise DamagedRecord saying what is wrong."""
    raise NotImplementedError


def encode_world(world: World) -> bytes:
    """Return ``world.json``."""
    raise NotImplementedError


def decode_world(data: bytes) -> World:
    """Return the configuration in ``world.json``; raise InvalidInput naming the wrong field."""
    raise NotImplementedError


def find_agents(world: World, document: bytes | None) -> tuple[str, ...]:
    """Return the names of the agents in the bytes of ``world.agents.doc``, in order.

    What is there may be an array of names, an array of objects with an ``id``, or an object whose
    names they are. Entries that are no names are left out. Raises DamagedRecord where it is none
    of these.
    """
    raise NotImplementedError
