"""A stream's ops file: JSON lines as the stream wrote them, to good ops and quarantined lines.

Nothing that a stream writes can raise or cost more than its own line: what is no op is put aside
with the reason, and the good lines before and after it count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from gitbaton.frames.op import Op

LINE_LIMIT: Final = 1024 * 1024  # bytes
FILE_LIMIT: Final = 64 * 1024 * 1024  # bytes of one stream's ops in one frame
NESTING_LIMIT: Final = 64  # arrays and objects in each other, in a value


class Quarantined(Struct, frozen=True, omit_defaults=True):
    """Something that a stream wrote and that is no op.

    ``line`` counts from 1 (0: the whole file or delta), ``excerpt`` is its beginning, ``more`` is
    the number of further bad lines of the stream that are not listed one by one.
    """

    frame: int
    worker: str
    stream: str
    line: int
    reason: str
    excerpt: str = ""
    more: int = 0


class Ops(Struct, frozen=True):
    """What an ops file holds: good ops by line, and the lines put aside with their reasons."""

    good: Mapping[int, Op]
    bad: tuple[tuple[int, str, str], ...] = ()  # line, reason, excerpt
    more: int = 0


def read_ops(data: bytes) -> Ops:
    """Return the ops in ``data``. Never raises: bad lines are in ``bad`` with the reason."""
    raise NotImplementedError


def write_op(op: Op) -> bytes:
    """Return ``op`` as one line with its newline, or raise InvalidInput naming the field."""
    raise NotImplementedError
