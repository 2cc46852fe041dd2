"""I8: whatever a stream writes, reading never raises, and names stay inside the world."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from random import Random

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from gitbaton.frames.codec import read_ops, write_op
from gitbaton.frames.delta import read_delta
from gitbaton.frames.names import document_fault
from gitbaton.frames.pointer import STEP_LIMIT, read_pointer, render_pointer
from gitbaton.frames.schema import make_schema
from tests.property.frame_fleets import make_op

SCHEMA = jsonschema.Draft202012Validator(make_schema())
GOOD = b'{"op":"incr","doc":"a.json","path":"/n"}'
pieces = st.sampled_from(
    [
        "a",
        "B",
        "..",
        ".",
        "/",
        "con",
        ".json",
        "nul",
        "\\",
        "~",
        "\n",
        "\0",
        "é",
        "-",
        "_",
        " ",
        ":",
    ]
)
texts = st.text(max_size=12) | st.lists(pieces, max_size=8).map("".join)
garbage = (
    st.binary(max_size=60)
    | st.sampled_from([GOOD[:n] for n in range(1, len(GOOD))])
    | st.builds(
        lambda op, doc, path, value: json.dumps(
            {"op": op, "doc": doc, "path": path, "value": value}
        ).encode(),
        st.sampled_from(["set", "incr", "merge", "append", "nope"]),
        texts,
        texts,
        st.none() | st.integers() | st.floats() | texts,
    )
)


@settings(max_examples=300, deadline=None)
@given(st.lists(garbage, max_size=6))
def test_reading_never_raises_and_good_lines_around_bad_ones_count(lines: list[bytes]) -> None:
    lines = [line.replace(b"\n", b" ") for line in lines]
    data = b"\n".join([GOOD, *lines, GOOD])
    ops = read_ops(data)
    assert {1, len(lines) + 2} <= set(ops.good)
    bad = {one.line for one in ops.bad}
    assert not bad & set(ops.good)
    for number, line in enumerate(lines, 2):
        assert number in ops.good or number in bad or line.isspace() or not line
    for op in ops.good.values():
        assert read_ops(write_op(op)).good == {1: op}
    read_delta(1, "w", {"delta.json": data, "streams/s.jsonl": data, "x": data})


@settings(max_examples=500, deadline=None)
@given(texts | texts.map(lambda text: text + ".json"))
def test_a_documents_name_is_a_plain_path_below_the_world(name: str) -> None:
    if document_fault(name) is None:
        path = PurePosixPath(name)
        assert name == name.lower()
        assert name.isascii()
        assert name.isprintable()
        assert str(path) == name
        assert not path.is_absolute()
        assert path.suffix == ".json"
        for part in path.parts:
            assert part[0] not in ".-"
            assert part[-1] != "."
            assert part.partition(".")[0] not in ("con", "nul", "aux", "prn")
        assert all(not part.endswith(".json") for part in path.parts[:-1])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=8), max_size=STEP_LIMIT))
def test_pointers_come_back(steps: list[str]) -> None:
    assert read_pointer(render_pointer(steps)) == tuple(steps)


@settings(max_examples=300, deadline=None)
@given(texts)
def test_a_text_is_a_pointer_or_a_reason(text: str) -> None:
    steps = read_pointer(text)
    if isinstance(steps, tuple):
        assert render_pointer(steps) == text
    else:
        assert steps


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_is_an_op_fits_the_schema(seed: int) -> None:
    line = write_op(make_op(Random(seed)))
    assert SCHEMA.is_valid(json.loads(line))
