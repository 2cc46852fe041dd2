"""What is said to upload-pack and what it says when only refs are wanted (pure).

Source: gitprotocol-v2(5) "ls-refs"; for servers that do not know version 2, gitprotocol-pack(5)
"Reference Discovery".
"""

from __future__ import annotations

from collections.abc import Sequence

from gitbaton.core.ids import Oid, is_oid
from gitbaton.git.answers import is_ref_name
from gitbaton.git.fast.pktline import Garbled, Mark, Packet, encode
from gitbaton.git.objects import Format

MOST_PREFIXES = 60_000
"""A server that is sent more than 65,536 prefixes drops them all and lists everything."""


def encode_ls_refs(prefixes: Sequence[str], format: Format) -> bytes:
    """Return the command that asks for the refs under ``prefixes``, by protocol v2.

    It may be sent before the server's capabilities are read: it asks for nothing optional. (The
    object format is named only where it is not the one that every server assumes.)
    """
    lines = [encode(b"command=ls-refs\n")]
    if format != "sha1":
        lines.append(encode(f"object-format={format}\n".encode()))
    lines.append(Mark.DELIMITER.value)
    if len(prefixes) <= MOST_PREFIXES and "" not in prefixes:
        lines += [encode(f"ref-prefix {prefix}\n".encode()) for prefix in prefixes]
    lines.append(Mark.FLUSH.value)
    return b"".join(lines)


def parse_ls_refs(packets: Sequence[Packet], prefixes: Sequence[str]) -> dict[str, Oid]:
    """Return the refs in the answer to ``ls-refs`` (to its flush) that start with a prefix.

    The server's filter is a courtesy, so it is applied again here. Names that no git could store
    are left out. Raises Garbled for anything but a whole answer.
    """
    if not packets or packets[-1] is not Mark.FLUSH:
        raise Garbled("the list of refs did not arrive whole")
    return _named(packets[:-1], prefixes)


def parse_session(packets: Sequence[Packet], prefixes: Sequence[str]) -> dict[str, Oid]:
    """Return the refs that a whole upload-pack session told, whichever version it spoke.

    A version-2 session is its capabilities and the answer to ``ls-refs``; an older one has
    listed everything before it stumbled over our command. Raises Garbled.
    """
    if Mark.FLUSH not in packets:
        raise Garbled("the list of refs did not arrive whole")
    end = packets.index(Mark.FLUSH)
    first = packets[0]
    if not isinstance(first, Mark) and first.rstrip(b"\n") == b"version 2":
        return parse_ls_refs(_to_flush(packets[end + 1 :]), prefixes)
    return parse_listing_v0(packets[: end + 1], prefixes)


def parse_listing_v0(packets: Sequence[Packet], prefixes: Sequence[str]) -> dict[str, Oid]:
    """Return the refs in a version-0 or version-1 advertisement of upload-pack. Raises Garbled."""
    lines: list[Packet] = []
    for packet in packets:
        if isinstance(packet, Mark) or packet.startswith((b"# service=", b"version 1", b"shallow")):
            continue
        lines.append(packet.partition(b"\0")[0])
    return _named(lines, prefixes)


def _to_flush(packets: Sequence[Packet]) -> Sequence[Packet]:
    return packets[: packets.index(Mark.FLUSH) + 1] if Mark.FLUSH in packets else packets


def _named(lines: Sequence[Packet], prefixes: Sequence[str]) -> dict[str, Oid]:
    wanted = tuple(prefixes)
    refs: dict[str, Oid] = {}
    for line in lines:
        if isinstance(line, Mark):
            raise Garbled(f"{line} within a list of refs")
        words = line.decode("utf-8", "surrogateescape").rstrip("\n").split(" ")
        if len(words) < 2 or not (is_oid(words[0]) or words[0] == "unborn"):
            raise Garbled(f"{line[:60]!r} names no ref")
        if is_oid(words[0]) and is_ref_name(words[1]) and words[1].startswith(wanted):
            refs[words[1]] = Oid(words[0])
    return refs
