"""A stream's ops file: JSON lines as the stream wrote them, to good ops and quarantined lines.

Nothing that a stream writes can raise or cost more than its own line: what is no op is put aside
with the reason, and the good lines before and after it count. Of a name that stands twice in one
object the last counts, as in most readers (RFC 8259 leaves it open).
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct

from gitbaton.core.errors import InvalidInput
from gitbaton.frames.canonical import DIGITS, NESTING_LIMIT, check_value, nests_too_deep
from gitbaton.frames.limits import FILE_LIMIT
from gitbaton.frames.names import target_fault
from gitbaton.frames.op import Op
from gitbaton.frames.pointer import read_pointer

LINE_LIMIT: Final = 1024 * 1024  # bytes
BAD_LIMIT: Final = 10_000  # bad lines of one file, after which the rest is not read
LISTED: Final = 20  # bad lines of one file that are told one by one
EXCERPT: Final = 120  # characters
_LONG: Final = re.compile(rb"[0-9]{%d}" % (DIGITS + 1))
_HALF: Final = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])")

_DECODER: Final = msgspec.json.Decoder(Op)
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_decode: Final[Callable[[bytes], Op]] = _DECODER.decode


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


class BadLine(Struct, frozen=True):
    """A line that is no op: its number from 1 (0: the rest of the file), why, its beginning."""

    line: int
    reason: str
    excerpt: str = ""


class Ops(Struct, frozen=True):
    """What an ops file holds: good ops by line in order, and the bad lines.

    ``more`` counts the bad lines beyond the first LISTED, which ``bad`` has.
    """

    good: Mapping[int, Op]
    bad: tuple[BadLine, ...] = ()
    more: int = 0


def read_ops(data: bytes, limit: int = FILE_LIMIT) -> Ops:
    """Return the ops in ``data``. Never raises: bad lines are in ``bad`` with the reason.

    The lines that end within the first ``limit`` bytes are read.

    A bad line costs several times what an op costs, so a file of nothing else would keep whoever
    merges busy for minutes: after BAD_LIMIT of them the rest is not read, and this is told.
    """
    good: dict[int, Op] = {}
    bad: list[BadLine] = []
    more = 0
    end = len(data) if len(data) <= limit else data.rfind(b"\n", 0, limit) + 1
    for number, line in enumerate(io.BytesIO(data[:end]), 1):
        if line == b"\n":
            continue
        op = read_op(line)
        if not isinstance(op, str):
            good[number] = op
        elif op and len(bad) < LISTED:
            bad.append(BadLine(number, op, _excerpt(line)))
        elif op:
            more += 1
            if more + LISTED >= BAD_LIMIT:
                words = (
                    f"{BAD_LIMIT} lines are no ops: the rest, from line {number + 1}, is not read"
                )
                return Ops(good, (*bad, BadLine(0, words)), more)
    if end < len(data):
        words = f"there was room for {limit} bytes of this stream: the rest is not read"
        bad.append(BadLine(0, words, _excerpt(data[end : end + 4 * EXCERPT])))
    return Ops(good, tuple(bad), more)


def read_op(line: bytes) -> Op | str:
    """Return the op in ``line``, or the reason why it is none (empty: it is a blank line)."""
    if len(line) > LINE_LIMIT:
        return f"a line has at most {LINE_LIMIT} bytes"
    try:
        op = _decode(line)
    except UnicodeDecodeError:
        return "it is not UTF-8"
    except RecursionError:
        return f"nested more than {NESTING_LIMIT} deep"
    except (msgspec.DecodeError, ValueError) as error:
        if _HALF.search(line) and "truncated" in str(error):
            return "a \\u escape stands for half of a character"
        return "" if line.isspace() else show(str(error))
    fault = target_fault(op.doc)
    if fault is not None:
        return fault
    steps = read_pointer(op.path)
    if isinstance(steps, str):
        return steps
    if op.new and op.base is not UNSET:
        return "`new` says that nothing was there: leave out `base`"
    if line.count(b"[") + line.count(b"{") > NESTING_LIMIT and any(
        nests_too_deep(value) for value in _values(op)
    ):
        return f"nested more than {NESTING_LIMIT} deep"
    return _long_number(op) if _LONG.search(line) else op


def _long_number(op: Op) -> Op | str:
    """Return why ``op`` has a number that not every reader takes, ``op`` itself if it has none."""
    try:
        for value in _values(op):
            if value is not UNSET:
                check_value(value, "value")
    except InvalidInput as error:
        return error.message
    return op


def write_op(op: Op) -> bytes:
    """Return ``op`` as one line with its newline, or raise InvalidInput naming the field."""
    for field in op.__struct_fields__:
        value = getattr(op, field)
        if value is not UNSET:
            check_value(value, field)
    line = _ENCODER.encode(op) + b"\n"
    again = read_op(line)
    if isinstance(again, str):
        raise InvalidInput("op", again)
    return line


def _values(op: Op) -> tuple[Any, Any]:
    return getattr(op, "value", None), op.base


def show(text: str, limit: int = EXCERPT) -> str:
    """Return the beginning of ``text``, which a stream may have written, fit for a terminal."""
    return "".join(c if c.isprintable() else "�" for c in text.strip()[:limit])


def _excerpt(line: bytes) -> str:
    return show(line[: 4 * EXCERPT].decode("utf-8", "replace"))
