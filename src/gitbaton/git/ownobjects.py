"""Which objects a repository has itself, whatever it may borrow from others (``alternates``).

Git cannot be asked: to it, what is borrowed is here. But what a clone holds may be half of a fetch
that was ended, while what we write, copy and fetch ourselves comes after all that it names.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from gitbaton.core.ids import Oid
from gitbaton.git.objects import Format

_MAGIC: Final = b"\xfftOc\x00\x00\x00\x02"  # gitformat-pack(5), "Version 2 pack-*.idx files"
_FAN: Final = 8
_IDS: Final = _FAN + 256 * 4


def find_own(objects: Path, oids: Iterable[Oid]) -> set[Oid]:
    """Return those of ``oids`` that stand in the directory ``objects`` itself.

    A file or an index that cannot be read has nothing.
    """
    wanted = set(oids)
    found = {oid for oid in wanted if _is_loose(objects, oid)}
    if found == wanted:
        return found
    try:
        indexes = [path for path in (objects / "pack").iterdir() if path.suffix == ".idx"]
    except OSError:
        return found
    for index in indexes:
        found |= _find_packed(index, wanted - found)
        if found == wanted:
            break
    return found


def find_damaged(objects: Path, format: Format) -> Iterator[Path]:
    """Yield the files of loose objects in ``objects`` that do not hold what their name says."""
    for directory in objects.glob("[0-9a-f][0-9a-f]"):
        for path in directory.glob("[0-9a-f]*"):
            try:
                content = zlib.decompress(path.read_bytes())
            except zlib.error:
                yield path
                continue
            except OSError:  # gone with a repack
                continue
            if hashlib.new(format, content).hexdigest() != directory.name + path.name:
                yield path


def _is_loose(objects: Path, oid: Oid) -> bool:
    try:
        return (objects / oid[:2] / oid[2:]).stat().st_size > 0  # a power cut may have emptied it
    except OSError:
        return False


def _find_packed(index: Path, oids: Iterable[Oid]) -> set[Oid]:
    try:
        with (
            index.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            if content[: len(_MAGIC)] != _MAGIC:
                return set()
            return {oid for oid in oids if _has(content, bytes.fromhex(oid))}
    except (OSError, ValueError, struct.error):  # gone with a repack, empty, or cut short
        return set()


def _has(content: mmap.mmap, oid: bytes) -> bool:
    """Look ``oid`` up between the places that the fan-out table gives for its first byte."""
    low = struct.unpack_from(">I", content, _FAN + 4 * (oid[0] - 1))[0] if oid[0] else 0
    high = struct.unpack_from(">I", content, _FAN + 4 * oid[0])[0]
    while low < high:
        middle = (low + high) // 2
        start = _IDS + middle * len(oid)
        there = content[start : start + len(oid)]
        if there == oid:
            return True
        if there < oid:
            low = middle + 1
        else:
            high = middle
    return False
