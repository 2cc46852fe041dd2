"""Ops files and deltas: malformed lines cost only themselves (issue: frames, point 2)."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from gitbaton.core.errors import InvalidInput
from gitbaton.frames.canonical import DIGITS, NESTING_LIMIT, encode_document
from gitbaton.frames.codec import (
    BAD_LIMIT,
    LINE_LIMIT,
    LISTED,
    read_op,
    read_ops,
    write_op,
)
from gitbaton.frames.delta import Header, StreamRun, read_delta, write_delta
from gitbaton.frames.limits import FILE_LIMIT
from gitbaton.frames.op import Append, Incr, Merge, Op, Set
from gitbaton.frames.schema import make_schema, render_schema, shipped_schema

GOOD = b'{"op":"incr","doc":"a.json","path":"/n","value":2}\n'
DEEP = NESTING_LIMIT + 1
SCHEMA = jsonschema.Draft202012Validator(make_schema())


def line(**fields: Any) -> bytes:
    return json.dumps({"doc": "a.json", "path": "/x", **fields}).encode()


ACCEPTED = [
    line(op="set", value=None),
    line(op="set", value={"a": [1, 2.5, True, "ü", {}]}, base=1, agent="ann"),
    line(op="set", value=1, new=True),
    line(op="delete"),
    line(op="delete", base={"a": 1}),
    line(op="merge", value={"a": None}),
    line(op="append", value=[1], key="k"),
    line(op="add", value="x"),
    line(op="remove", value="x"),
    line(op="incr"),
    line(op="incr", value=-2.5),
    line(op="max", value="2026"),
    line(op="min", value=3),
    line(op="set", value=1, path=""),
    line(op="set", value=1, path="/a~1b/~0/ /ü/0"),
    line(op="set", value=1, doc="town/square-1/it_s.notes.json"),
    line(op="set", value=1, path="/" * 32),
    line(op="set", value=1, base=None),
    line(op="set", value=1, base=None, new=False),
    line(op="add", value=1, agent=None),
]
REFUSED = [
    line(op="set"),
    line(value=1),
    line(op="explode", value=1),
    line(op="set", value=1, extra=1),
    line(op="set", value=1, base=1, new=True),
    line(op="set", value=1, path="x"),
    line(op="set", value=1, path="/~2"),
    line(op="set", value=1, path="/" * 33),
    line(op="set", value=1, path="/" + "x" * 1024),
    line(op="set", value=1, path=3),
    line(op="set", value=1, doc="Square.json"),
    line(op="set", value=1, doc="../a.json"),
    line(op="set", value=1, doc="/a.json"),
    line(op="set", value=1, doc="a..json"),
    line(op="set", value=1, doc="a.txt"),
    line(op="set", value=1, doc=".git/a.json"),
    line(op="set", value=1, doc="con.json"),
    line(op="set", value=1, doc="x/aux.y/a.json"),
    line(op="set", value=1, doc="a.json/b.json"),
    line(op="set", value=1, doc="a./b.json"),
    line(op="set", value=1, doc="a//b.json"),
    line(op="set", value=1, doc="a\\b.json"),
    line(op="set", value=1, doc="d/" * 8 + "a.json"),
    line(op="set", value=1, doc="x" * 200 + ".json"),
    line(op="incr", value="2"),
    line(op="incr", value=True),
    line(op="merge", value=[1]),
    line(op="max", value=None),
    line(op="append", value=1, key=""),
    line(op="append", value=1, key=7),
    line(op="add", value=1, agent="x" * 201),
    b"[1]",
    b"null",
]
BEYOND_A_SCHEMA = [
    b"{",
    GOOD[:-4],
    b'{"op":"set","doc":"a.json","path":"/x","value":NaN}',
    b'{"op":"set","doc":"a.json","path":"/x","value":1e999}',
    b'{"op":"set","doc":"a.json","path":"/x","value":"\xff"}',
    b'{"op":"set","doc":"a.json","path":"/x","value":"\\ud800"}',
    b"[" * 100_000,
    line(op="set", value=json.loads("[" * DEEP + "]" * DEEP)),
    line(op="set", value=1, doc="frame.json"),
    line(op="set", value=1, doc="world.json"),
    line(op="set", value=1, doc="frame-report.json"),
    b'{"op":"set","doc":"a.json","path":"/x","value":' + b"9" * 5000 + b"}",
    b'{"op":"set","doc":"a.json","path":"/x","value":"' + b"x" * LINE_LIMIT + b'"}',
    b"\x00" * 10,
]


@pytest.mark.parametrize("data", ACCEPTED)
def test_what_is_accepted_the_schema_accepts_and_comes_back_as_it_was(data: bytes) -> None:
    op = read_op(data)
    assert not isinstance(op, str), op
    SCHEMA.validate(json.loads(data))
    assert read_op(write_op(op)) == op


@pytest.mark.parametrize("data", REFUSED)
def test_what_is_refused_the_schema_refuses(data: bytes) -> None:
    assert isinstance(read_op(data), str)
    assert read_op(data)
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate(json.loads(data))


@pytest.mark.parametrize("data", [*REFUSED, *BEYOND_A_SCHEMA])
def test_a_bad_line_costs_only_itself(data: bytes) -> None:
    ops = read_ops(GOOD + data + b"\n\n  \n" + GOOD)
    assert list(ops.good) == [1, 5]
    assert [bad.line for bad in ops.bad] == [2]
    assert ops.bad[0].reason
    assert len(ops.bad[0].excerpt) <= 120
    assert ops.bad[0].excerpt.isprintable()


def test_reasons_are_short_and_fit_for_a_terminal() -> None:
    names = ("x" * 100_000, "\x1b[2J")
    for name in names:
        [bad] = read_ops(
            json.dumps({"op": "incr", "doc": "a.json", "path": "", name: 1}).encode()
        ).bad
        assert len(bad.reason) <= 200
        assert bad.reason.isprintable()
    files = {"delta.json": json.dumps({"\x1b[2J" * 1000: 1}).encode()}
    [whole] = read_delta(1, "w", files).quarantined
    assert len(whole.reason) <= 200
    assert whole.reason.isprintable()


def test_a_whole_last_line_without_its_newline_counts() -> None:
    assert list(read_ops(GOOD + GOOD.strip()).good) == [1, 2]
    assert [bad.line for bad in read_ops(GOOD + GOOD[:20]).bad] == [2]


def test_a_flood_of_bad_lines_is_counted_not_listed() -> None:
    ops = read_ops(b"nonsense\n" * 1000 + GOOD)
    assert (len(ops.bad), ops.more, list(ops.good)) == (LISTED, 1000 - LISTED, [1001])


def test_what_is_beyond_the_files_limit_is_told() -> None:
    blank = b" " * (LINE_LIMIT - 1) + b"\n"
    data = GOOD + blank * (FILE_LIMIT // LINE_LIMIT) + GOOD
    ops = read_ops(data)
    assert list(ops.good) == [1]
    assert ops.bad[-1].line == 0


def test_nested_just_deep_enough() -> None:
    value = json.loads("[" * NESTING_LIMIT + "1" + "]" * NESTING_LIMIT)
    assert not isinstance(read_op(line(op="set", value=value)), str)
    assert isinstance(read_op(line(op="set", value=[value])), str)
    wide: list[list[int]] = [[]] * (NESTING_LIMIT * 3)
    assert not isinstance(read_op(line(op="set", value=wide)), str)


@pytest.mark.parametrize(
    ("op", "field"),
    [
        (Set("a.json", "/x", float("nan")), "value"),
        (Set("a.json", "/x", {1: 2}), "value"),
        (Set("a.json", "/x", object()), "value"),
        (Set("a.json", "/x", "\ud800"), "value"),
        (Set("a.json", "/x", 10**2000), "value"),
        (Set("a.json", "/x", 1, base=float("inf")), "base"),
        (Set("A.json", "/x", 1), "op"),
        (Set("a.json", "/x", 1, base=1, new=True), "op"),
        (Incr("frame.json", "/x"), "op"),
        (Append("a.json", "/x", 1, key=""), "op"),
    ],
)
def test_ops_that_would_be_refused_are_not_written(op: Op, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        write_op(op)
    assert caught.value.field == field


def test_the_shipped_schema_is_the_models() -> None:
    assert shipped_schema() == render_schema()
    jsonschema.Draft202012Validator.check_schema(make_schema())


def test_documents_have_one_form() -> None:
    value = {"b": [1, 1.0, 0.1, -0.0, 2**70], "a": {"ü": None}}
    assert encode_document(value) == encode_document(dict(reversed(value.items())))
    assert json.loads(encode_document(value)) == value
    assert encode_document({}) == b"{}\n"


def test_a_delta_comes_back_from_its_files() -> None:
    header = Header(
        frame=4,
        worker="w1",
        streams={"s0": StreamRun(agents=("ann", "bob")), "s1": StreamRun(outcome="failed")},
        versions={"gitbaton": "1"},
    )
    files = write_delta(header, {"s0": GOOD + b"bad\n" + GOOD})
    assert sorted(files) == ["delta.json", "streams/s0.jsonl"]
    assert files["streams/s0.jsonl"] == GOOD + b"bad\n" + GOOD
    delta = read_delta(4, "w1", files)
    assert delta.header == header
    assert list(delta.streams["s0"].good) == [1, 3]
    assert [(one.stream, one.line) for one in delta.quarantined] == [("s0", 2)]
    assert write_delta(header, {"s0": GOOD}) == write_delta(header, {"s0": GOOD, "s1": b""})


def test_a_delta_that_is_not_what_it_is_published_as_is_put_aside_whole() -> None:
    files = write_delta(Header(frame=4, worker="w1", streams={"s0": StreamRun()}), {"s0": GOOD})
    for frame, worker, content in (
        (5, "w1", files),
        (4, "w2", files),
        (4, "w1", {}),
        (4, "w1", {**files, "delta.json": b"{}"}),
        (4, "w1", {**files, "delta.json": b"[" * 100_000}),
        (4, "w1", {**files, "delta.json": files["delta.json"].replace(b"s0", b"../x")}),
        (
            4,
            "w1",
            {**files, "delta.json": files["delta.json"].replace(b'"format": 1', b'"format": 2')},
        ),
    ):
        delta = read_delta(frame, worker, content)
        assert (delta.header.frame, delta.header.worker) == (frame, worker)
        assert delta.streams == {}
        assert [one.line for one in delta.quarantined] == [0]


def test_files_that_the_header_does_not_name_are_told() -> None:
    files = write_delta(Header(frame=4, worker="w1", streams={"s0": StreamRun()}), {"s0": GOOD})
    delta = read_delta(4, "w1", {**files, "streams/s9.jsonl": GOOD, "x/../y": b""})
    assert list(delta.streams) == ["s0"]
    assert len(delta.quarantined) == 2


def test_streams_have_safe_names() -> None:
    header = Header(frame=4, worker="w1", streams={"../s": StreamRun()})
    with pytest.raises(InvalidInput):
        write_delta(header, {})
    with pytest.raises(InvalidInput):
        write_delta(Header(frame=4, worker="w1", streams={}), {"s0": GOOD})


def test_ops_are_written_without_what_they_do_not_say() -> None:
    assert write_op(Merge("a.json", "", {"b": 1, "a": None})) == (
        b'{"op":"merge","doc":"a.json","path":"","value":{"a":null,"b":1}}\n'
    )


def test_a_file_of_nothing_but_bad_lines_is_not_read_to_its_end() -> None:
    """Else one stream could keep the fleet waiting for minutes (I8)."""
    op = b'{"op":"incr","doc":"a.json","path":"/n"}\n'
    ops = read_ops(op + b"\n" * 100_000 + b"x\n" * BAD_LIMIT + op)
    assert list(ops.good) == [1]
    assert ops.more + len(ops.bad) == BAD_LIMIT + 1
    assert "is not read" in ops.bad[-1].reason
    assert list(read_ops(b"x\n" * (BAD_LIMIT - 1) + op).good) == [BAD_LIMIT]


def test_a_number_that_not_every_reader_takes_is_no_op() -> None:
    """What a writer is refused, a reader does not take either."""
    digits = b"9" * DIGITS
    good = b'{"op":"set","doc":"a.json","path":"/x","value":[%s,"%s9"]}' % (digits, digits)
    assert not isinstance(read_op(good), str)
    for wrong in (
        b'{"op":"set","doc":"a.json","path":"/x","value":[%s9]}' % digits,
        b'{"op":"incr","doc":"a.json","path":"/x","value":-%s9}' % digits,
        b'{"op":"set","doc":"a.json","path":"/x","value":1,"base":{"a":%s9}}' % digits,
    ):
        reason = read_op(wrong)
        assert isinstance(reason, str) and "digits" in reason, reason


@pytest.mark.parametrize("text", [rb"\ud800", rb"\uDBFF", rb"so far \uDE00", rb"\ud83d\ud83d"])
def test_half_of_a_character_is_told_as_such(text: bytes) -> None:
    reason = read_op(b'{"op":"set","doc":"a.json","path":"/x","value":"%s"}' % text)
    assert isinstance(reason, str) and ("half of a character" in reason or "surrogate" in reason)


def test_a_line_that_is_cut_is_told_as_such_whatever_is_in_it() -> None:
    reason = read_op(b'{"op":"set","doc":"a.json","path":"/x","value":"\\ud83d\\ude00')
    assert isinstance(reason, str) and "truncated" in reason
