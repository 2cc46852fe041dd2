"""Packet lines: the frames of git's protocols, and the side bands within them (pure).

Source: gitprotocol-common(5) "pkt-line Format", gitprotocol-v2(5) "Packet-Line Framing",
gitprotocol-pack(5) "Packfile Data" (side bands).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import TypeAlias

LONGEST = 65516
"""Bytes of content that one packet can carry."""


class Mark(Enum):
    """A packet without content, by its length field."""

    FLUSH = b"0000"  # the end of a message or section
    DELIMITER = b"0001"  # between the parts of a protocol-v2 message
    RESPONSE_END = b"0002"


Packet: TypeAlias = bytes | Mark


NO = b"ERR "
"""Begins the packet of a server that refuses to go on; its reason follows."""


class Garbled(ValueError):
    """Bytes that are no packets: the other side speaks something else."""


def encode(content: bytes) -> bytes:
    """Return ``content`` as one packet. Raises ValueError beyond ``LONGEST`` bytes."""
    if len(content) > LONGEST:
        raise ValueError(f"{len(content)} bytes are too many for one packet")
    return b"%04x%s" % (len(content) + 4, content)


class Decoder:
    """Turns bytes into packets as they arrive, in pieces of any size."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Packet]:
        """Return the packets that ``data`` completes. Raises Garbled at bytes that are none."""
        return list(self.read(data))

    def read(self, data: bytes) -> Iterator[Packet]:
        """Yield the packets that ``data`` completes. Raises Garbled behind the last good one."""
        self._buffer += data
        start = 0
        while (size := self._size(start)) and start + size <= len(self._buffer):
            head = self._buffer[start : start + 4]
            content = self._buffer[start + 4 : start + size]
            yield Mark(head) if head in _MARKS else content
            start += size
        self._buffer = self._buffer[start:]

    @property
    def rest(self) -> bytes:
        """What was fed and is not yet a whole packet."""
        return self._buffer

    def _size(self, start: int) -> int:
        """Return the length of the packet at ``start``, 0 while it is not known."""
        head = self._buffer[start : start + 4]
        if not _HEX.fullmatch(head):
            raise Garbled(f"{head!r} begins no packet")
        if len(head) < 4:
            return 0
        if head in _MARKS:
            return 4
        size = int(head, 16)
        if not 4 <= size <= LONGEST + 4:
            raise Garbled(f"{head!r} begins no packet")
        return size


def decode(data: bytes) -> list[Packet]:
    """Return the packets in ``data``, which must be whole. Raises Garbled."""
    decoder = Decoder()
    packets = list(decoder.feed(data))
    if decoder.rest:
        raise Garbled("the bytes end within a packet")
    return packets


def decode_start(data: bytes) -> tuple[list[Packet], Garbled | None]:
    """Return the whole packets that ``data`` begins with, and what is wrong behind them, if so."""
    decoder, packets = Decoder(), list[Packet]()
    try:
        for packet in decoder.read(data):
            packets.append(packet)
    except Garbled as error:
        return packets, error
    return packets, None


def split_bands(packets: Iterable[Packet]) -> tuple[bytes, str]:
    """Return what the packets carry on band 1, and the other side's words on bands 2 and 3.

    Servers that do not know side bands send the inner packets as they are: these count as band 1,
    framed again. Raises Garbled.
    """
    primary, words = bytearray(), bytearray()
    banded = True
    for packet in packets:
        if isinstance(packet, Mark):
            primary += b"" if banded else packet.value
        elif packet[:1] in _BANDS:
            target = primary if packet[0] == _PRIMARY else words
            target += packet[1:]
        elif packet[:1] >= b" ":
            banded = False
            primary += encode(packet)
        elif packet:
            raise Garbled(f"there is no band {packet[0]}")
    return bytes(primary), words.decode("utf-8", "replace")


_HEX = re.compile(rb"[0-9a-fA-F]{0,4}")
_PRIMARY, _PROGRESS, _FATAL = 1, 2, 3
_BANDS = (bytes([_PRIMARY]), bytes([_PROGRESS]), bytes([_FATAL]))
_MARKS = frozenset(mark.value for mark in Mark)
