"""A pack and its index as bytes: many objects in two files (pure).

Written here, not by ``git index-pack``: the objects are ours and need no checking, and a process
costs more than the few that a push of several records brings. Format: gitformat-pack(5),
"pack-*.pack files" and "Version 2 pack-*.idx files".
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from gitbaton.git.objects import Format, Kind, RawObject

_TYPES: Mapping[Kind, int] = {"commit": 1, "tree": 2, "blob": 3}
_MAGIC = b"\xfftOc"
_MOST_BYTES = 2**31  # beyond it offsets take another form


@dataclass(frozen=True, slots=True)
class Packfile:
    """A pack that can be written under ``name`` (without directory and suffix)."""

    name: str
    pack: bytes
    index: bytes


def encode_pack(objects: Sequence[RawObject], format: Format) -> bytes:
    """Return a pack (version 2, no deltas) that holds ``objects``."""
    return _join(map(_entry, objects), len(objects), format)


def make_packfile(objects: Sequence[RawObject], format: Format) -> Packfile:
    """Return a pack of ``objects``, which must differ, with its index.

    Raises ValueError for more than two gigabytes.
    """
    entries = [_entry(item) for item in objects]
    pack = _join(entries, len(entries), format)
    if len(pack) >= _MOST_BYTES:
        raise ValueError("a pack of more than two gigabytes")
    offsets = accumulate(map(len, entries), initial=12)
    rows = sorted(
        (bytes.fromhex(item.oid), zlib.crc32(entry), offset)
        for item, entry, offset in zip(objects, entries, offsets, strict=False)
    )
    checksum = pack[-hashlib.new(format).digest_size :]
    content = b"".join(
        [
            _MAGIC,
            struct.pack(">I", 2),
            _fan_out(row[0][0] for row in rows),
            *(oid for oid, _, _ in rows),
            struct.pack(f">{len(rows)}I", *(crc for _, crc, _ in rows)),
            struct.pack(f">{len(rows)}I", *(offset for _, _, offset in rows)),
            checksum,
        ]
    )
    index = content + hashlib.new(format, content).digest()
    return Packfile(f"pack-{checksum.hex()}", pack, index)


def _join(entries: Iterable[bytes], count: int, format: Format) -> bytes:
    content = b"".join([b"PACK", struct.pack(">II", 2, count), *entries])
    return content + hashlib.new(format, content).digest()


def _entry(item: RawObject) -> bytes:
    """Return an object as it stands in a pack: kind and size, then its content, compressed."""
    size = len(item.body)
    byte = (_TYPES[item.kind] << 4) | (size & 0x0F)
    size >>= 4
    header = bytearray()
    while size:
        header.append(byte | 0x80)
        byte = size & 0x7F
        size >>= 7
    header.append(byte)
    return bytes(header) + zlib.compress(item.body, 1)


def _fan_out(first_bytes: Iterable[int]) -> bytes:
    """Return how many ids begin with each byte or a smaller one."""
    counts = [0] * 256
    for byte in first_bytes:
        counts[byte] += 1
    return struct.pack(">256I", *accumulate(counts))
