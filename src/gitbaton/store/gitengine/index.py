"""Parked cards on this disk, for the next process of the clone: an index that cannot lie.

One file a shard, ``<coordination repository>/index/<shard>``, holds the cards of that shard as
somebody read them last, each under the id of its blob. What a blob says never changes, so no
file is ever out of date: it has a card or lacks it, and what it lacks is read from git. Nothing is
locked; the last writer wins, and with each writing go the cards that the board has no more. A
file that is damaged, foreign or of another version of gitbaton counts as empty. What could not be
read is not kept: the object may have been missing for a moment, or a later gitbaton can read it.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from gitbaton.store.gitengine.cards import Card

Cards: TypeAlias = Mapping[str, Card]
"""The readable cards of a shard by file name."""

_MAGIC: Final = b"baton cards 1\n"
_SUM: Final = 4  # bytes of the checksum that follows
_DECODER: Final = msgspec.msgpack.Decoder(dict[str, Card])


class CardIndex:
    """The index in one directory. Thread-safe, and shared by processes without any lock."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def load(self, shard: str) -> Cards:
        """Return the cards known of ``shard``: perhaps older ones, perhaps none. Never raises."""
        try:
            data = (self._directory / shard).read_bytes()
        except OSError:
            return {}
        body = memoryview(data)[len(_MAGIC) + _SUM :]
        if data[: len(data) - len(body)] != _MAGIC + _checksum(body):
            return {}
        try:
            return _DECODER.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return {}

    def save(self, shard: str, cards: Cards) -> None:
        """Keep ``cards`` as all that is known of ``shard``, if the disk lets us."""
        body = msgspec.msgpack.encode(cards)
        with contextlib.suppress(OSError):
            self._directory.mkdir(exist_ok=True)
            # Not by tempfile: that makes it this user's alone, and a group may share the clone.
            temporary = self._directory / f"new-{os.urandom(8).hex()}"
            try:
                with temporary.open("xb") as file:
                    file.write(_MAGIC + _checksum(body) + body)
                os.replace(temporary, self._directory / shard)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise


def _checksum(body: bytes | memoryview) -> bytes:
    return zlib.crc32(body).to_bytes(_SUM, "big")
