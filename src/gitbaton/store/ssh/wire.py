"""What client and server say to each other: a greeting line, then frames with one message each.

A frame is its length (four bytes, big-endian) and MessagePack. One that did not arrive whole is
never acted on: that is what makes "surely not sent" knowable.
"""

from __future__ import annotations

import struct
from typing import Final, TypeAlias

import msgspec

PROTOCOL: Final = 1
MAGIC: Final = b"BATON-STORE "
MAX_BANNER: Final = 65_536
"""Bytes that a login shell may print before the greeting."""

MAX_FRAME: Final = 1 << 28
_LENGTH = struct.Struct(">I")
HEADER: Final = _LENGTH.size


class Garbled(Exception):
    """What came is no message of this protocol."""


class Message(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The base of all messages."""


class Greeting(msgspec.Struct, frozen=True):
    """The server's first words, as JSON behind ``MAGIC``."""

    protocol: int
    version: str


class Change(msgspec.Struct, frozen=True, array_like=True):
    """A named transaction. ``expect``: None for ABSENT; ``write``: None for DELETE, else JSON."""

    name: str
    expect: dict[str, str | None]
    write: dict[str, bytes | None]
    subject: str
    actor: str
    email: str
    heartbeat: bool


class Read(Message, frozen=True):
    """Asks for ``Store.read``."""

    prefix: str


class Commit(Message, frozen=True):
    """Asks for ``commit``. A copy of it may come again on another connection."""

    changes: tuple[Change, ...]


class CommitFirst(Message, frozen=True):
    """Asks for ``commit_first``. A copy of it may come again on another connection."""

    changes: tuple[Change, ...]
    count: int


class History(Message, frozen=True):
    """Asks for ``Store.history``."""

    key: str | None
    limit: int | None


class Tidy(Message, frozen=True):
    """Asks for ``Store.tidy``."""

    force: bool


Request: TypeAlias = Read | Commit | CommitFirst | History | Tidy


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A record; ``data`` None: there is none under this key."""

    key: str
    version: str
    data: bytes | None


class Rows(Message, frozen=True):
    """Answers ``Read``."""

    rows: tuple[Row, ...]
    damaged: dict[str, str]


class Done(Message, frozen=True):
    """Committed: the new versions."""

    versions: dict[str, str]


class Stale(Message, frozen=True):
    """A conflict: what is there now."""

    found: tuple[Row, ...]


class Denied(Message, frozen=True):
    """Rejected, as in the model."""

    reason: str
    ref: str | None
    code: str


class Doubt(Message, frozen=True):
    """Not known, as in the model."""

    reason: str


class Untried(Message, frozen=True):
    """Spared, as in the model."""


Fate: TypeAlias = Done | Stale | Denied | Doubt | Untried


class Fates(Message, frozen=True):
    """Answers ``Commit`` and ``CommitFirst``: one for each change, in their order."""

    fates: tuple[Fate, ...]


class Event(msgspec.Struct, frozen=True, array_like=True):
    """One change in the history; ``data`` None: deleted."""

    key: str
    version: str
    at: str
    actor: str
    subject: str
    data: bytes | None


class Events(Message, frozen=True):
    """Answers ``History``."""

    events: tuple[Event, ...]


class Tidied(Message, frozen=True):
    """Answers ``Tidy``."""

    folded: int
    staged: int
    repaired: int
    refreshed: bool
    notes: tuple[str, ...]


class Failed(Message, frozen=True):
    """Answers anything: an error of ``core.errors``, by its kind. Nothing was changed."""

    kind: str
    code: str
    message: str
    next: str | None
    detail: str


Reply: TypeAlias = Rows | Fates | Events | Tidied | Failed

_ENCODER = msgspec.msgpack.Encoder()
_REQUESTS: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_REPLIES: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def encode_frame(message: Request | Reply) -> bytes:
    """Return ``message`` as a frame. Raises ValueError when it is too large for one."""
    body = _ENCODER.encode(message)
    if len(body) > MAX_FRAME:
        raise ValueError(f"a message of {len(body)} bytes is too large to send")
    return _LENGTH.pack(len(body)) + body


def body_length(header: bytes) -> int:
    """Return how many bytes follow ``header``. Raises Garbled."""
    (length,) = _LENGTH.unpack(header)
    if length > MAX_FRAME:
        raise Garbled(f"a frame of {length} bytes")
    return int(length)


def decode_request(body: bytes) -> Request:
    """Return the request in a frame. Raises Garbled."""
    try:
        return _REQUESTS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Garbled(str(error)) from error


def decode_reply(body: bytes) -> Reply:
    """Return the reply in a frame. Raises Garbled."""
    try:
        return _REPLIES.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Garbled(str(error)) from error


def encode_greeting(greeting: Greeting) -> bytes:
    """Return the greeting as a line of its own, whatever was printed before it."""
    return b"\n" + MAGIC + msgspec.json.encode(greeting) + b"\n"


def find_greeting(said: bytes) -> tuple[Greeting, bytes] | None:
    """Return the greeting in what was ``said`` and what follows it; None if it is not there yet.

    Raises Garbled for a greeting that cannot be read, or when too much else was said.
    """
    start = (b"\n" + said).find(b"\n" + MAGIC)
    end = said.find(b"\n", start) if start >= 0 else -1
    if end < 0:
        if len(said) > MAX_BANNER:
            raise Garbled("it talks, but not as baton does")
        return None
    try:
        greeting = msgspec.json.decode(said[start + len(MAGIC) : end], type=Greeting)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Garbled(f"its greeting cannot be read: {error}") from error
    return greeting, said[end + 1 :]
