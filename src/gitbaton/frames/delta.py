"""A delta: all that one worker's streams wrote in one frame, and its form as files (pure).

    delta.json              the header: frame, worker, the agents of each stream, versions
    streams/NAME.jsonl      the ops of a stream, byte for byte as it wrote them

The ops are judged by whoever merges, never by the worker alone: a line that is no op is put aside
by everyone alike, and stays where it can be looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from gitbaton.frames.codec import Ops, Quarantined

HEADER: Final = "delta.json"
STREAMS: Final = "streams/"

Outcome: TypeAlias = Literal["ok", "failed", "timed-out"]


class StreamRun(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How one stream went: the agents it was given, its end, and a word on it (exit status)."""

    agents: tuple[str, ...] = ()
    outcome: Outcome = "ok"
    detail: str = ""


class Header(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a delta says of itself. ``versions``: of gitbaton and whatever the worker notes."""

    format: int = 1
    frame: int
    worker: str
    streams: Mapping[str, StreamRun]
    versions: Mapping[str, str] = {}


class Delta(Struct, frozen=True):
    """One worker's part of one frame, read. ``quarantined``: what of it could not be read."""

    header: Header
    streams: Mapping[str, Ops]
    quarantined: tuple[Quarantined, ...] = ()


def write_delta(header: Header, streams: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of a delta (paths as above), always the same bytes for the same content.

    ``streams`` has what each stream of the header wrote; one that is missing wrote nothing.
    Raises InvalidInput for names that cannot be files.
    """
    raise NotImplementedError


def read_delta(frame: int, worker: str, files: Mapping[str, bytes]) -> Delta:
    """Return the delta in ``files``, which were published as ``worker``'s of ``frame``.

    Never raises. A header that is no header, or that names another frame or worker, puts the whole
    delta aside: it then has no ops, and one entry in ``quarantined``.
    """
    raise NotImplementedError
