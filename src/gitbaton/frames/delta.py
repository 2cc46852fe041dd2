"""A delta: all that one worker's streams wrote in one frame, and its form as files (pure).

    delta.json              the header: frame, worker, the agents of each stream, versions
    streams/NAME.jsonl      the ops of a stream, byte for byte as it wrote them

The ops are judged by whoever merges, never by the worker alone: a line that is no op is put aside
by everyone alike, and stays where it can be looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from gitbaton.core.errors import InvalidInput
from gitbaton.frames.canonical import check_value, encode_document
from gitbaton.frames.codec import LISTED, Ops, Quarantined, read_ops, show
from gitbaton.frames.limits import FILE_LIMIT
from gitbaton.frames.names import STREAM_LIMIT, stream_name

FORMAT: Final = 1
HEADER: Final = "delta.json"
STREAMS: Final = "streams/"
DETAIL: Final = 300  # characters of why something failed
SUFFIX: Final = ".jsonl"
_NOTHING: Final[Mapping[str, str]] = {}
_UNBOUNDED: Final[Mapping[str, int]] = {}

Outcome: TypeAlias = Literal["ok", "failed", "timed-out"]


class StreamRun(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How one stream went: the agents it was given, its end, and a word on it (exit status)."""

    agents: tuple[str, ...] = ()
    outcome: Outcome = "ok"
    detail: str = ""


class Header(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a delta says of itself. ``versions``: of gitbaton and whatever the worker notes.

    ``refused``: this one stands in for another, which the host did not take, and why.
    """

    format: int = FORMAT
    frame: int
    worker: str
    streams: Mapping[str, StreamRun]
    versions: Mapping[str, str] = {}
    refused: str = ""


class Delta(Struct, frozen=True):
    """One worker's part of one frame, read. ``quarantined``: what of it could not be read."""

    header: Header
    streams: Mapping[str, Ops]
    quarantined: tuple[Quarantined, ...] = ()


def write_delta(header: Header, streams: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of a delta (paths as above), always the same bytes for the same content.

    ``streams`` has what each stream of the header wrote; one that is missing wrote nothing.
    Raises InvalidInput for names that cannot be files, and for streams that the header lacks.
    """
    for name in (*header.streams, *streams):
        stream_name(name)
        if name not in header.streams:
            raise InvalidInput("streams", f"{name!r} is not in the header")
    plain = msgspec.to_builtins(header)
    if not header.refused:
        del plain["refused"]
    check_value(plain, "header")
    files = {HEADER: encode_document(plain)}
    files |= {f"{STREAMS}{name}{SUFFIX}": data for name, data in streams.items() if data}
    return dict(sorted(files.items()))


def read_delta(
    frame: int,
    worker: str,
    files: Mapping[str, bytes],
    unread: Mapping[str, str] = _NOTHING,
    limits: Mapping[str, int] = _UNBOUNDED,
) -> Delta:
    """Return the delta in ``files``, which were published as ``worker``'s of ``frame``.

    ``unread``: further paths, and why they were not read; ``limits``: how many bytes of a path
    count. Never raises. A header that is no header,
    or that names another frame or worker, puts the whole delta aside: it then has no ops, and one
    entry in ``quarantined``.
    """
    header = _read_header(frame, worker, files.get(HEADER, b""))
    if isinstance(header, str):
        whole = Quarantined(frame, worker, "", 0, header)
        return Delta(Header(frame=frame, worker=worker, streams={}), {}, (whole,))
    streams: dict[str, Ops] = {}
    odd: list[str] = []
    aside: list[Quarantined] = []
    if header.refused:
        aside.append(Quarantined(frame, worker, "", 0, show(header.refused, DETAIL)))
    for path in sorted(files.keys() | unread.keys()):
        if path == HEADER:
            continue
        name = path.removeprefix(STREAMS).removesuffix(SUFFIX)
        if path != f"{STREAMS}{name}{SUFFIX}" or name not in header.streams:
            odd.append(f"{path!r:.120} is no stream of this delta's header")
            continue
        if path in unread:
            aside.append(Quarantined(frame, worker, name, 0, unread[path]))
            continue
        streams[name] = ops = read_ops(files[path], limits.get(path, FILE_LIMIT))
        aside += [
            Quarantined(frame, worker, name, bad.line, bad.reason, bad.excerpt) for bad in ops.bad
        ]
        if ops.more:
            aside.append(
                Quarantined(frame, worker, name, 0, "further lines that are no ops", more=ops.more)
            )
    aside += [Quarantined(frame, worker, "", 0, words) for words in odd[:LISTED]]
    if len(odd) > LISTED:
        words = "further files that are no streams"
        aside.append(Quarantined(frame, worker, "", 0, words, more=len(odd) - LISTED))
    return Delta(header, streams, tuple(aside))


def _read_header(frame: int, worker: str, data: bytes) -> Header | str:
    """Return the header, or the reason why there is none that fits."""
    try:
        header = msgspec.json.decode(data, type=Header)
        for name in header.streams:
            stream_name(name)
    except (msgspec.DecodeError, ValueError, RecursionError, InvalidInput) as error:
        return f"{HEADER} is no header of a delta: {show(str(error))}"
    if len(header.streams) > STREAM_LIMIT:
        return f"{HEADER} has {len(header.streams)} streams; a worker has at most {STREAM_LIMIT}"
    if header.format != FORMAT:
        return f"{HEADER} has format {header.format}; this baton knows {FORMAT}"
    if (header.frame, header.worker) != (frame, worker):
        return f"{HEADER} is of {header.worker!r:.80} in frame {header.frame}"
    return header
