"""Packet lines: whatever goes in comes out, in pieces of any size, and nothing else is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.git.fast.pktline import (
    LONGEST,
    Decoder,
    Garbled,
    Mark,
    Packet,
    decode,
    encode,
    split_bands,
)

PACKETS = st.lists(st.binary(max_size=80) | st.sampled_from(Mark), max_size=12)


def framed(packets: list[Packet]) -> bytes:
    return b"".join(p.value if isinstance(p, Mark) else encode(p) for p in packets)


@given(PACKETS)
def test_what_is_encoded_is_decoded(packets: list[Packet]) -> None:
    assert decode(framed(packets)) == packets


@given(PACKETS, st.data())
def test_pieces_of_any_size_give_the_same_packets(
    packets: list[Packet], data: st.DataObject
) -> None:
    whole, decoder, found = framed(packets), Decoder(), list[Packet]()
    while whole:
        size = data.draw(st.integers(1, len(whole)))
        found += decoder.feed(whole[:size])
        whole = whole[size:]
    assert found == packets
    assert decoder.rest == b""


@given(PACKETS.filter(bool), st.data())
def test_what_is_cut_off_is_never_taken_for_whole(
    packets: list[Packet], data: st.DataObject
) -> None:
    whole = framed(packets)
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]
    decoder = Decoder()
    found = decoder.feed(cut)
    assert found == packets[: len(found)]
    assert framed(found) + decoder.rest == cut
    if decoder.rest:
        with pytest.raises(Garbled, match="within"):
            decode(cut)


@given(st.binary(max_size=60))
def test_any_bytes_are_packets_or_garbled(data: bytes) -> None:
    decoder = Decoder()
    try:
        found = decoder.feed(data)
    except Garbled:
        return
    assert len(framed(found)) + len(decoder.rest) == len(data)


@pytest.mark.parametrize(
    "data", [b"0003", b"fff5", b"+001", b"0x10", b"1_00", b"Welcome!", b" 004", b"\x00\x00\x00\x04"]
)
def test_what_is_no_length_is_garbled(data: bytes) -> None:
    with pytest.raises(Garbled, match="begins no packet"):
        Decoder().feed(data)


def test_the_longest_packet_and_one_byte_more() -> None:
    assert decode(encode(b"x" * LONGEST)) == [b"x" * LONGEST]
    with pytest.raises(ValueError, match="too many"):
        encode(b"x" * (LONGEST + 1))


@given(st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.binary(max_size=40)), max_size=10))
def test_bands_are_put_together_in_order(pieces: list[tuple[int, bytes]]) -> None:
    packets: list[Packet] = [bytes([band]) + data for band, data in pieces]
    primary, words = split_bands([*packets, Mark.FLUSH])
    assert primary == b"".join(data for band, data in pieces if band == 1)
    said = b"".join(data for band, data in pieces if band != 1)
    assert words == said.decode("utf-8", "replace")


def test_packets_without_bands_are_kept_as_they_are() -> None:
    packets: list[Packet] = [b"unpack ok\n", b"ok refs/heads/x\n", Mark.FLUSH]
    assert split_bands(packets) == (framed(packets), "")


def test_an_unknown_band_is_garbled() -> None:
    with pytest.raises(Garbled, match="band 7"):
        split_bands([b"\x07what"])
