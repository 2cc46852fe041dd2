"""Listings by protocol v2, and by servers that do not know it."""

from __future__ import annotations

import pytest

from gitbaton.core.ids import Oid
from gitbaton.git.fast.pktline import Garbled, Mark, Packet, decode
from gitbaton.git.fast.refs import (
    MOST_PREFIXES,
    encode_ls_refs,
    parse_listing_v0,
    parse_ls_refs,
    parse_session,
)

A, B = Oid("a" * 40), Oid("b" * 40)
X, Y = "refs/baton/tasks/x", "refs/heads/y"


def test_the_command() -> None:
    assert decode(encode_ls_refs(["refs/baton/", Y], "sha1")) == [
        b"command=ls-refs\n",
        Mark.DELIMITER,
        b"ref-prefix refs/baton/\n",
        f"ref-prefix {Y}\n".encode(),
        Mark.FLUSH,
    ]
    assert b"object-format=sha256\n" in decode(encode_ls_refs([], "sha256"))


def test_too_many_prefixes_are_not_sent_at_all() -> None:
    many = [f"refs/baton/{number}" for number in range(MOST_PREFIXES + 1)]
    assert decode(encode_ls_refs(many, "sha1")) == [
        b"command=ls-refs\n",
        Mark.DELIMITER,
        Mark.FLUSH,
    ]
    assert encode_ls_refs([""], "sha1") == encode_ls_refs(many, "sha1")


def test_the_answer_is_filtered_again() -> None:
    lines: list[Packet] = [
        f"{A} HEAD symref-target:{Y}\n".encode(),
        f"{A} {X}\n".encode(),
        f"{B} {Y}\n".encode(),
        b"unborn HEAD symref-target:refs/heads/main\n",
        f"{B} refs/baton/../escape\n".encode(),
        Mark.FLUSH,
    ]
    assert parse_ls_refs(lines, ["refs/baton/"]) == {X: A}
    assert parse_ls_refs(lines, [""]) == {X: A, Y: B}
    assert parse_ls_refs([Mark.FLUSH], [""]) == {}


@pytest.mark.parametrize(
    "packets", [[], [f"{A} {X}\n".encode()], [b"ERR no\n", Mark.FLUSH], [b"x", Mark.FLUSH]]
)
def test_what_is_no_whole_answer(packets: list[Packet]) -> None:
    with pytest.raises(Garbled):
        parse_ls_refs(packets, [""])


def test_a_session_of_version_2() -> None:
    hello: list[Packet] = [b"version 2\n", b"ls-refs=unborn\n", Mark.FLUSH]
    answer: list[Packet] = [f"{A} {X}\n".encode(), Mark.FLUSH]
    assert parse_session([*hello, *answer], ["refs/"]) == {X: A}
    with pytest.raises(Garbled):
        parse_session([*hello, *answer[:1]], ["refs/"])
    with pytest.raises(Garbled):
        parse_session(hello, ["refs/"])


def test_a_session_of_version_0_has_listed_everything() -> None:
    listed: list[Packet] = [
        f"{A} HEAD\0multi_ack thin-pack\n".encode(),
        f"{A} {X}\n".encode(),
        f"{B} refs/tags/v1\n".encode(),
        f"{A} refs/tags/v1^{{}}\n".encode(),
        Mark.FLUSH,
    ]
    complaint: Packet = b"ERR upload-pack: not our kind of command"
    assert parse_session([*listed, complaint], ["refs/"]) == {X: A, "refs/tags/v1": B}
    assert parse_session([Mark.FLUSH], ["refs/"]) == {}
    with pytest.raises(Garbled):
        parse_session(listed[:2], ["refs/"])
    over_http: list[Packet] = [b"# service=git-upload-pack\n", Mark.FLUSH, *listed]
    assert parse_listing_v0(over_http, ["refs/baton/"]) == {X: A}
