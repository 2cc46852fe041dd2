"""The push protocol as bytes: advertisements read, requests written, reports believed or not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.ids import Oid
from gitbaton.git.fast.pktline import Garbled, Mark, Packet, decode, encode
from gitbaton.git.fast.receive import (
    Advertisement,
    choose_capabilities,
    encode_request,
    parse_advertisement,
    parse_report,
)
from gitbaton.git.fast.trouble import Unfit
from gitbaton.git.remote import RefUpdate

A, B, C = Oid("a" * 40), Oid("b" * 40), Oid("c" * 40)
ZERO = "0" * 40
X, Y = "refs/baton/tasks/x", "refs/heads/y"
CAPS = "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta agent=g/1"


def advertised(*capabilities: str) -> Advertisement:
    return Advertisement({}, dict.fromkeys(capabilities, ""))


def banded(content: bytes, *, band: int = 1, size: int = 7) -> list[Packet]:
    pieces = [content[i : i + size] for i in range(0, len(content), size)]
    return [bytes([band]) + piece for piece in pieces]


def test_an_advertisement() -> None:
    seen = parse_advertisement(
        [
            f"{A} {X}\0{CAPS} object-format=sha1\n".encode(),
            f"{B} {Y}\n".encode(),
            f"{C} .have\n".encode(),
            Mark.FLUSH,
        ]
    )
    assert seen.refs == {X: A, Y: B}
    assert seen.others == {C}
    assert seen.can("atomic")
    assert not seen.can("push-cert")
    assert seen.format == "sha1"


def test_an_advertisement_of_an_empty_repository_over_http() -> None:
    seen = parse_advertisement(
        [
            b"# service=git-receive-pack\n",
            Mark.FLUSH,
            f"{ZERO} capabilities^{{}}\0{CAPS}".encode(),
            Mark.FLUSH,
        ]
    )
    assert seen.refs == {}
    assert seen.can("delete-refs")


def test_the_line_of_version_1_is_passed_over() -> None:
    packets: list[Packet] = [b"version 1\n", f"{A} {X}\0{CAPS}".encode(), Mark.FLUSH]
    assert parse_advertisement(packets).refs == {X: A}


@pytest.mark.parametrize("packets", [[], [Mark.FLUSH], [b"hello"], [f"{A} {X}".encode()]])
def test_what_is_no_advertisement(packets: list[Packet]) -> None:
    with pytest.raises(Garbled):
        parse_advertisement(packets)


def test_a_server_that_says_no_has_done_nothing() -> None:
    with pytest.raises(Unfit, match="access denied"):
        parse_advertisement([b"ERR access denied\n"])


def test_without_a_look_atomic_is_never_asked_for() -> None:
    asked = choose_capabilities(None, "sha1", atomic=False)
    assert "atomic" not in asked
    assert {"report-status", "report-status-v2", "object-format=sha1"} <= set(asked)
    with pytest.raises(ValueError, match="not looked at"):
        choose_capabilities(None, "sha1", atomic=True)


def test_after_a_look_only_what_is_listed_is_asked_for() -> None:
    seen = advertised("report-status", "atomic", "agent")
    assert choose_capabilities(seen, "sha1", atomic=True) == (
        "report-status",
        "agent=git/gitbaton",
        "atomic",
    )
    with pytest.raises(ValueError, match="does not list"):
        choose_capabilities(advertised("report-status"), "sha1", atomic=True)


def test_servers_that_this_transport_has_no_use_for() -> None:
    with pytest.raises(Unfit, match="does not report") as caught:
        choose_capabilities(advertised("atomic"), "sha1", atomic=False)
    assert caught.value.lasting
    with pytest.raises(Unfit, match="sha1"):
        choose_capabilities(advertised("report-status"), "sha256", atomic=False)


def test_a_request_names_every_old_value() -> None:
    updates = [RefUpdate(X, None, A), RefUpdate(Y, B, C)]
    request = encode_request(updates, ["report-status", "atomic"], b"PACK", "sha1")
    assert request.endswith(b"0000PACK")
    assert decode(request[: -len(b"PACK")]) == [
        f"{ZERO} {A} {X}\0report-status atomic".encode(),
        f"{B} {C} {Y}".encode(),
        Mark.FLUSH,
    ]


def test_a_request_that_only_deletes_has_no_pack() -> None:
    request = encode_request([RefUpdate(X, A, None)], ["report-status"], b"PACK", "sha1")
    assert decode(request)[0] == f"{A} {ZERO} {X}\0report-status".encode()


def test_sha256_has_longer_nothing() -> None:
    request = encode_request([RefUpdate(X, None, Oid("a" * 64))], [], b"", "sha256")
    assert request[4:].startswith(b"0" * 64 + b" ")


REPORT = (
    encode(b"unpack ok\n")
    + encode(f"ok {X}\n".encode())
    + encode(f"ng {Y} failed to update ref\n".encode())
    + Mark.FLUSH.value
)


def test_a_report_with_and_without_bands() -> None:
    plain = parse_report(decode(REPORT))
    assert plain.unpack == "ok"
    assert plain.refs == {X: None, Y: "failed to update ref"}
    said = banded(b"hook: hello\n", band=2)
    in_bands = parse_report([*said, *banded(REPORT), Mark.FLUSH])
    assert in_bands.refs == plain.refs
    assert in_bands.said == "hook: hello\n"


def test_a_report_of_the_second_kind() -> None:
    lines = [b"unpack ok\n", f"ok {X}\n".encode(), f"option refname {Y}\n".encode()]
    report = parse_report([*lines, Mark.FLUSH])
    assert report.refs == {X: None}


@given(st.integers(0, len(REPORT) - 1), st.booleans())
def test_a_report_that_was_cut_off_anywhere_says_nothing(cut: int, bands: bool) -> None:
    """I4: half a report must not tell half of the refs that they are done."""
    part = REPORT[:cut]
    with pytest.raises(Garbled):
        parse_report([*banded(part), Mark.FLUSH] if bands else decode(part))


@pytest.mark.parametrize("line", [b"done refs/heads/x", b"<html>"])
def test_other_words_are_no_report(line: bytes) -> None:
    with pytest.raises(Garbled):
        parse_report([b"unpack ok\n", line, Mark.FLUSH])
    with pytest.raises(Garbled):
        parse_report([f"ok {X}\n".encode(), Mark.FLUSH])
