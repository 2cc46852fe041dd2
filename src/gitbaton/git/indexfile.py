"""A git index of a few entries, written and read without git: gitformat-index(5), version 2.

For private indexes only. The shared one has extensions, flags and other versions, and is left to
git altogether.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping

from gitbaton.core.ids import Oid
from gitbaton.git.entries import Entry
from gitbaton.git.objects import Format

_HEAD = struct.Struct(">4sII")
_STAT = struct.Struct(">10I")  # times, device, inode, mode, owner, size: see _MODE
_MODE = 6  # which of them is the mode
_FLAGS = struct.Struct(">H")
_EXTENDED = 0x4000
_STAGE = 0x3000
_NAME = 0x0FFF  # the length of the path; longer ones are all written as this


def encode_index(entries: Mapping[bytes, Entry], format: Format) -> bytes:
    """Return an index that holds ``entries``, with nothing known about the files on disk."""
    parts = [_HEAD.pack(b"DIRC", 2, len(entries))]
    for path, entry in sorted(entries.items()):
        stat = [0] * 10
        stat[_MODE] = entry.mode
        flags = _FLAGS.pack(min(len(path), _NAME))
        body = _STAT.pack(*stat) + bytes.fromhex(entry.oid) + flags + path
        parts.append(body + b"\0" * (8 - len(body) % 8))  # one to eight: the path ends in a null
    content = b"".join(parts)
    return content + hashlib.new(format, content).digest()


def decode_index(data: bytes, format: Format) -> dict[bytes, Entry]:
    """Return the entries of an index that git made out of one of ours: path -> entry.

    Raises ValueError for another version, a conflict in it, or what is no index.
    """
    signature, version, count = _HEAD.unpack_from(data)
    if signature != b"DIRC" or version not in (2, 3):
        raise ValueError(f"an index of version {version}")
    size = 20 if format == "sha1" else 32
    found: dict[bytes, Entry] = {}
    position = _HEAD.size
    for _ in range(count):
        start = position
        mode = _STAT.unpack_from(data, position)[_MODE]
        position += _STAT.size
        oid = data[position : position + size].hex()
        position += size
        (flags,) = _FLAGS.unpack_from(data, position)
        position += _FLAGS.size + (2 if flags & _EXTENDED else 0)
        if flags & _STAGE:
            raise ValueError("an index with a conflict")
        end = data.index(b"\0", position)
        found[data[position:end]] = Entry(mode, Oid(oid))
        position = end + 8 - (end - start) % 8
    return found


def index_info(edits: Iterable[tuple[bytes, Entry | None]], format: Format) -> bytes:
    """Return the input of ``git update-index -z --index-info`` that makes ``edits``."""
    nothing = "0" * (40 if format == "sha1" else 64)
    lines = []
    for path, entry in edits:
        mode, oid = (entry.mode, entry.oid) if entry is not None else (0, nothing)
        lines.append(b"%06o %s\t%s\0" % (mode, oid.encode(), path))
    return b"".join(lines)
