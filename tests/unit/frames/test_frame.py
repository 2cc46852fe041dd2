"""The frame's record, its report, and the world's configuration."""

from __future__ import annotations

import json

import pytest

from gitbaton.core.errors import DamagedRecord, InvalidInput
from gitbaton.frames.frame import (
    LISTED,
    Agents,
    World,
    decode_frame,
    decode_report,
    decode_world,
    encode_frame,
    encode_world,
    find_agents,
    first_frame,
    next_frame,
)
from gitbaton.frames.limits import Limits
from gitbaton.frames.names import RECORD, REPORT
from gitbaton.frames.op import Incr, Set
from gitbaton.frames.rules import Rule
from tests.unit.frames.worlds import DOC, delta, play


def test_the_first_frame_comes_back() -> None:
    frame = first_frame({"w1": 3})
    assert decode_frame(encode_frame(frame)) == frame
    assert json.loads(encode_frame(frame))["number"] == 0


def test_limits_as_ever_are_not_written() -> None:
    """A baton of before there were limits takes no field that it does not know."""
    assert "limits" not in json.loads(encode_world(World()))
    small = World(limits=Limits(stream=17))
    assert json.loads(encode_world(small))["limits"]["stream"] == 17
    assert decode_world(encode_world(small)) == small


def test_the_next_frame_counts_on_and_names_what_it_was_made_of() -> None:
    _, result = play({"x": 1}, delta("w1", Set(DOC, "/x", 2)), delta("w2", Set(DOC, "/x", 3)))
    frame, documents = next_frame(first_frame(), result, roster={"w2": 1}, missing=("w3",))
    assert (frame.number, frame.merged) == (1, ((3, "w1"), (3, "w2")))
    assert (frame.changed, frame.conflict_count, frame.counts.overruled) == (1, 1, 1)
    assert set(documents) == {DOC, RECORD, REPORT}
    assert documents[REPORT] is None
    data = documents[RECORD]
    assert data is not None
    assert decode_frame(data) == frame
    assert json.loads(data)["conflicts"][0]["claims"][0]["worker"] in ("w1", "w2")


def test_a_record_stays_small_and_every_conflict_is_in_the_report() -> None:
    many = LISTED * 4
    first = [Set(DOC, f"/x{n}", 1) for n in range(many)]
    second = [Set(DOC, f"/x{n}", 2) for n in range(many)]
    _, result = play({}, delta("w1", *first), delta("w2", *second))
    frame, documents = next_frame(first_frame(), result, roster={})
    assert (frame.conflict_count, len(frame.conflicts)) == (many, LISTED)
    data = documents[REPORT]
    assert data is not None
    report = decode_report(data)
    assert report.conflicts == result.conflicts
    assert {one.path for one in report.conflicts} == {f"/x{n}" for n in range(many)}


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"number": 1}', b"[" * 100_000])
def test_a_damaged_record_is_named(data: bytes) -> None:
    with pytest.raises(DamagedRecord, match=r"frame\.json"):
        decode_frame(data)


def test_a_record_of_a_newer_baton_is_told_so() -> None:
    data = encode_frame(first_frame()).replace(b'"format": 1', b'"format": 9')
    with pytest.raises(DamagedRecord, match="newer"):
        decode_frame(data)


def test_a_world_comes_back() -> None:
    world = World(rules=(Rule("**", "/votes/*", "sum"),), assigned={"ann": "w1"}, keep=10)
    assert decode_world(encode_world(world)) == world
    assert decode_world(b"{}") == World()


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b'{"deadline": 0}',
        b'{"lease": -1}',
        b'{"surprise": 1}',
        b'{"format": 9}',
        b'{"agents": {"doc": "../x"}}',
        b'{"agents": {"path": "x"}}',
        b'{"rules": [{"doc": "**", "path": "x", "use": "max"}]}',
        b'{"rules": [{"doc": "**", "path": "/x", "use": "best"}]}',
    ],
)
def test_a_wrong_configuration_is_named(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode_world(data)


@pytest.mark.parametrize(
    ("document", "path", "agents"),
    [
        (b'["bob", "ann", "bob"]', "", ("ann", "bob")),
        (b'[{"id": "bob"}, {"name": "x"}, "ann", 3, ""]', "", ("ann", "bob")),
        (b'{"bob": {}, "ann": {}}', "", ("ann", "bob")),
        (b'{"all": ["ann"]}', "/all", ("ann",)),
        (b"{}", "/all", ()),
        (b'{"all": null}', "/all", ()),
        (None, "", ()),
    ],
)
def test_agents_are_found_in_the_world(
    document: bytes | None, path: str, agents: tuple[str, ...]
) -> None:
    assert find_agents(World(agents=Agents(path=path)), document) == agents


def test_what_is_no_list_of_agents_is_damaged() -> None:
    for document in (b"3", b'"ann"', b"{broken"):
        with pytest.raises(DamagedRecord, match=r"agents\.json"):
            find_agents(World(), document)


def test_agents_may_come_and_go_through_ops() -> None:
    value, _ = play({"ann": {}}, delta("w1", Set(DOC, "/bob", {}), Incr(DOC, "/ann/steps")))
    assert find_agents(World(), json.dumps(value).encode()) == ("ann", "bob")
