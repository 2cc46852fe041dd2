"""Streams in Python: what they see, and what they write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitbaton.core.errors import DamagedRecord, InvalidInput
from gitbaton.frames import Incr, OpsWriter, Set, StreamView, open_view, open_writer
from gitbaton.frames.codec import read_ops


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    world = tmp_path / "world"
    (world / "town").mkdir(parents=True)
    (world / "town" / "square.json").write_text('{"people": 3}')
    (world / "broken.json").write_text("{")
    agents = tmp_path / "agents.json"
    agents.write_text(json.dumps(["ann", "bob"]))
    return {
        "BATON_FRAME": "12",
        "BATON_STREAM": "s0",
        "BATON_WORLD": str(world),
        "BATON_AGENTS": str(agents),
        "BATON_OPS": str(tmp_path / "ops.jsonl"),
    }


def test_a_view_is_what_the_environment_says(environment: dict[str, str]) -> None:
    view = open_view(environment)
    assert (view.frame, view.stream, view.agents) == (12, "s0", ("ann", "bob"))
    assert view.read("town/square.json") == {"people": 3}
    assert view.read("town/none.json") is None
    assert view.documents() == ("broken.json", "town/square.json")
    with pytest.raises(DamagedRecord, match=r"broken\.json"):
        view.read("broken.json")


def test_a_view_shows_nothing_outside_the_world(environment: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        open_view(environment).read("../agents.json")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BATON_FRAME", ""),
        ("BATON_FRAME", "-1"),
        ("BATON_STREAM", "../s"),
        ("BATON_WORLD", ""),
        ("BATON_AGENTS", "/nowhere"),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    environment: dict[str, str], name: str, value: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        open_view({**environment, name: value})
    assert caught.value.field == name


def test_a_writer_appends_whole_lines(environment: dict[str, str]) -> None:
    writer = open_writer(environment)
    writer.write(Set("a.json", "/x", 1))
    writer.write(Incr("a.json", "/x"), Incr("a.json", "/y", 2))
    assert list(read_ops(writer.path.read_bytes()).good.values()) == [
        Set("a.json", "/x", 1),
        Incr("a.json", "/x"),
        Incr("a.json", "/y", 2),
    ]


def test_a_bad_op_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    writer = OpsWriter(tmp_path / "ops.jsonl")
    with pytest.raises(InvalidInput):
        writer.write(Incr("a.json", "/x"), Set("a.json", "/x", float("nan")))
    assert not writer.path.exists()


def test_a_line_that_was_cut_costs_only_itself(tmp_path: Path) -> None:
    writer = OpsWriter(tmp_path / "ops.jsonl")
    writer.write(Incr("a.json", "/x"))
    with writer.path.open("ab") as file:
        file.write(b'{"op":"incr","doc"')
    writer.write(Incr("a.json", "/y"))
    ops = read_ops(writer.path.read_bytes())
    assert (list(ops.good), [bad.line for bad in ops.bad]) == ([1, 3], [2])


def test_a_stream_is_a_function(tmp_path: Path) -> None:
    def stream(view: StreamView) -> list[Incr]:
        return [Incr("steps.json", f"/{agent}") for agent in view.agents]

    view = StreamView(1, "s0", ("ann", "bob"), tmp_path)
    assert [op.path for op in stream(view)] == ["/ann", "/bob"]
