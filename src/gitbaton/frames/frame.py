"""The frame's record (``frame.json``), its report, and the world's configuration (``world.json``).

All three are documents of the world. ``frame.json`` is small whatever happens: it lists the first
conflicts and quarantined lines; where there are more, all of them are in ``frame-report.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from gitbaton.core.errors import DamagedRecord, InvalidInput
from gitbaton.frames.canonical import decode_document, encode_document
from gitbaton.frames.codec import Quarantined
from gitbaton.frames.conflict import Conflict
from gitbaton.frames.delta import Outcome
from gitbaton.frames.limits import DEFAULT, Limits
from gitbaton.frames.merge import Counts, MergeResult
from gitbaton.frames.merging.tree import MISSING, Tree
from gitbaton.frames.names import RECORD, REPORT, STREAM_LIMIT, WORLD, document_name
from gitbaton.frames.op import NAME_LIMIT
from gitbaton.frames.pointer import parse_pointer
from gitbaton.frames.rules import Rule, RuleTable

FORMAT: Final = 1
LISTED: Final = 50  # conflicts, and quarantined lines, in frame.json

_T = TypeVar("_T")


class Agents(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the world keeps its agents: an array of names, or an object whose names they are."""

    doc: str = "agents.json"
    path: str = ""


class World(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`world.json`: how this world's frames run. People write it; a frame reads it anew."""

    format: int = FORMAT
    agents: Agents = Agents()
    deadline: Annotated[
        float, Meta(gt=0, description="Seconds that a frame waits for a live worker.")
    ] = 180.0
    lease: Annotated[
        float, Meta(gt=0, description="Seconds that a primary or a worker may be silent.")
    ] = 60.0
    keep: Annotated[int, Meta(ge=0, description="Frames in a clone's working history; 0: all.")] = 0
    limits: Annotated[Limits, Meta(description="How much a frame takes in, in bytes.")] = DEFAULT
    rules: Annotated[tuple[Rule, ...], Meta(description="Merge rules; the first that fits.")] = ()
    assigned: Annotated[
        Mapping[str, str], Meta(description="Which worker runs an agent, where people say so.")
    ] = {}


class FailedStream(Struct, frozen=True):
    """A stream that did not end well in the frame ``frame``. What it wrote counts all the same."""

    frame: int
    worker: str
    stream: str
    outcome: Outcome
    detail: str = ""


class Stray(Struct, frozen=True, array_like=True):
    """A delta that was left where it is: it leads to commits that are not of this world."""

    frame: int
    worker: str
    commit: str

    def report(self) -> Quarantined:
        """Return what the record of the first frame that found it says of it."""
        words = (
            f"it leads to commits that are not of this world, and stays at its ref: {self.commit}"
        )
        return Quarantined(self.frame, self.worker, "", 0, words)


class Frame(Struct, frozen=True, kw_only=True):
    """`frame.json`: the clock, and what made this frame out of the one before.

    ``roster``: who runs agents in this frame, with the number of streams; ``merged``: the (frame,
    worker) pairs that this frame consumed; ``missing``: workers of the last roster that it was
    made without; ``changed``: how many documents it changed. ``conflicts``, ``quarantined`` and
    ``failed`` are the first LISTED of ``conflict_count``, ``quarantined_count``, ``failed_count``.
    ``astray``: deltas that were there and left where they are.
    """

    format: int = FORMAT
    number: int
    roster: Mapping[str, Annotated[int, Meta(ge=1, le=STREAM_LIMIT)]]
    merged: tuple[tuple[int, str], ...] = ()
    missing: tuple[str, ...] = ()
    counts: Counts = Counts()
    changed: int = 0
    conflict_count: int = 0
    quarantined_count: int = 0
    conflicts: tuple[Conflict, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    failed_count: int = 0
    failed: tuple[FailedStream, ...] = ()
    astray: tuple[Stray, ...] = ()


class Report(Struct, frozen=True, kw_only=True):
    """`frame-report.json`: all conflicts and quarantined lines, where ``frame.json`` has not."""

    format: int = FORMAT
    number: int
    conflicts: tuple[Conflict, ...]
    quarantined: tuple[Quarantined, ...]


def first_frame(roster: Mapping[str, int] | None = None) -> Frame:
    """Return the record of frame 0."""
    return Frame(number=0, roster=dict(roster or {}))


def next_frame(
    before: Frame,
    result: MergeResult,
    *,
    roster: Mapping[str, int],
    missing: tuple[str, ...] = (),
    failed: tuple[FailedStream, ...] = (),
    astray: tuple[Stray, ...] = (),
) -> tuple[Frame, dict[str, bytes | None]]:
    """Return the record of the frame after ``before`` and all documents that change with it.

    The documents are those of ``result``, ``frame.json`` and ``frame-report.json`` (None: gone;
    there may be none already).
    """
    frame = Frame(
        number=before.number + 1,
        roster=dict(roster),
        merged=result.merged,
        missing=missing,
        counts=result.counts,
        changed=len(result.changed),
        conflict_count=len(result.conflicts),
        quarantined_count=len(result.quarantined),
        conflicts=result.conflicts[:LISTED],
        quarantined=result.quarantined[:LISTED],
        failed_count=len(failed),
        failed=failed[:LISTED],
        astray=astray,
    )
    report = None
    if len(result.conflicts) > LISTED or len(result.quarantined) > LISTED:
        report = _encode(
            Report(
                number=frame.number,
                conflicts=result.conflicts,
                quarantined=result.quarantined,
            )
        )
    return frame, {**result.changed, RECORD: encode_frame(frame), REPORT: report}


def encode_frame(frame: Frame) -> bytes:
    """Return ``frame.json``."""
    plain = msgspec.to_builtins(frame)
    if not frame.failed_count:  # as in frames of before there was such a thing
        del plain["failed_count"], plain["failed"]
    if not frame.astray:
        del plain["astray"]
    return encode_document(plain)


def decode_frame(data: bytes) -> Frame:
    """Return the frame in ``frame.json``, or raise DamagedRecord saying what is wrong."""
    return _decode(RECORD, data, Frame)


def decode_report(data: bytes) -> Report:
    """Return the report in ``frame-report.json``, or raise DamagedRecord saying what is wrong."""
    return _decode(REPORT, data, Report)


def encode_world(world: World) -> bytes:
    """Return ``world.json``. Without ``limits`` that are as ever: older versions know of none."""
    plain = msgspec.to_builtins(world)
    if world.limits == DEFAULT:
        del plain["limits"]
    return encode_document(plain)


def decode_world(data: bytes) -> World:
    """Return the configuration in ``world.json``; raise InvalidInput naming the wrong field."""
    try:
        world = msgspec.json.decode(data, type=World)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise InvalidInput(WORLD, str(error)) from error
    if world.format > FORMAT:
        raise InvalidInput(
            f"{WORLD}: format",
            f"{world.format} is newer than this baton knows ({FORMAT})",
            next="uv tool upgrade gitbaton",
        )
    document_name(world.agents.doc, field=f"{WORLD}: agents.doc")
    parse_pointer(world.agents.path, field=f"{WORLD}: agents.path")
    RuleTable(world.rules)
    return world


def find_agents(world: World, document: bytes | None) -> tuple[str, ...]:
    """Return the names of the agents in the bytes of ``world.agents.doc``, in order.

    What is there may be an array of names, an array of objects with an ``id``, or an object whose
    names they are; nothing there: there are no agents. Entries that are no names (1 to NAME_LIMIT
    characters) are left out. Raises DamagedRecord where it is none of these.
    """
    if document is None:
        return ()
    tree = Tree(decode_document(world.agents.doc, document))
    found = tree.find(parse_pointer(world.agents.path))
    if found is MISSING or found is None:
        return ()
    if not isinstance(found, dict | list):
        raise DamagedRecord(f"{world.agents.doc}: there is no list of agents at the place")
    names = {_name(one) for one in found} - {""}
    return tuple(sorted(names))


def _name(entry: object) -> str:
    """Return the agent's name in an entry of the list, empty where there is none."""
    name = entry.get("id") if isinstance(entry, dict) else entry
    return name if isinstance(name, str) and len(name) <= NAME_LIMIT else ""


def _encode(record: object) -> bytes:
    return encode_document(msgspec.to_builtins(record))


def _decode(name: str, data: bytes, kind: type[_T]) -> _T:
    try:
        record = msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise DamagedRecord(f"{name}: {error}", next="baton frame log") from error
    written: Any = getattr(record, "format", FORMAT)
    if written > FORMAT:
        raise DamagedRecord(
            f"{name}: format {written} is newer than this baton knows ({FORMAT})",
            next="uv tool upgrade gitbaton",
        )
    return record
