"""Adding many tasks from a file: all or none, and errors that name the place."""

from __future__ import annotations

import json

import pytest

from tests.functional.baton import Baton


def test_json_lines_from_a_file_and_from_standard_input(baton: Baton) -> None:
    lines = '{"title": "One", "id": "t1"}\n\n{"title": "Two", "needs": ["t1"], "timeout": "15m"}\n'
    (baton.directory / "tasks.jsonl").write_text(lines)
    added = baton.ok("add", "--from", "tasks.jsonl")["tasks"]
    assert [task["title"] for task in added] == ["One", "Two"]
    assert (added[1]["needs"], added[1]["timeout"]) == (["t1"], 900)
    more = baton.ok("add", "--from", "-", stdin='{"title": "Three", "checks": ["make test"]}')
    assert more["tasks"][0]["checks"] == ["make test"]
    assert len(baton.ok("list")["tasks"]) == 3


def test_a_list_can_be_moved_to_another_project(baton: Baton) -> None:
    baton.ok("add", "One", "--id", "t1")
    baton.ok("add", "Two", "--id", "t2", "--needs", "t1")
    baton.ok("claim", "t1")
    baton.ok("done", "t1")
    listing = baton("list", "--json").out
    baton.ok("cancel", "t2")
    moved = json.loads(listing.replace('"t2"', '"t2-copy"'))
    added = baton.ok("add", "--from", "-", stdin=json.dumps(moved))["tasks"]
    assert [(t["id"], t["needs"], t["status"]) for t in added] == [("t2-copy", [], "pending")]


def test_a_board_written_by_another_program_can_be_taken_over(baton: Baton) -> None:
    board = {
        "tasks": [
            {"id": "task-001", "status": "done"},
            {"id": "task-002", "status": "in-progress", "claimedBy": "agent-laptop-B"},
        ]
    }
    added = baton.ok("add", "--from", "-", stdin=json.dumps(board))["tasks"]
    assert [(t["id"], t["title"], t["status"]) for t in added] == [
        ("task-002", "task-002", "pending")
    ]


@pytest.mark.parametrize(
    ("text", "place", "field"),
    [
        ('{"title": "ok"}\n{"titel": "x"}', "-:2", "titel"),
        ('{"title": "ok"}\n{"title": "x", "id": "No Good"}', "-:2", "id"),
        ('{"title": "ok"}\n{"title": "x", "needs": "t1"}', "-:2", "needs"),
        ('{"title": "ok"}\n{"title": "x", "timeout": "soon"}', "-:2", "timeout"),
        ('{"title": "ok"}\n{"title": "x", "priority": 77}', "-:2", "priority"),
        ('{"title": "ok"}\n{"id": "x"}', "-:2", "title"),
        ('{"title": "ok"}\n{"title": "x"', "-:2", "JSON"),
        ('{"title": "ok"}\n3', "-:2", "object"),
        ('{"title": "a", "id": "t1"}\n{"title": "b", "id": "t1"}', "-:2", "id"),
        ('{"tasks": [{"id": "a"}, {"id": "b", "titel": "x"}]}', "tasks[1]", "titel"),
        ('{"tasks": 3}', "tasks", "list"),
    ],
)
def test_an_error_names_place_and_field_and_nothing_is_added(
    baton: Baton, text: str, place: str, field: str
) -> None:
    answer = baton("add", "--from", "-", "--json", stdin=text)
    assert answer.status == 2
    assert place in answer.error["message"]
    assert field in answer.error["message"]
    assert baton.ok("list") == {"tasks": []}
    assert baton.ok("log") == {"events": []}


def test_the_log_tells_whom_an_addition_of_many_was_about(baton: Baton) -> None:
    baton.ok("add", "--from", "-", stdin='{"title": "R", "id": "red"}\n{"title": "B", "id": "b"}')
    lines = [line.split(maxsplit=2)[1:] for line in baton("log").out.splitlines()]
    assert sorted(lines) == [["b", "add: red R and 1 more"], ["red", "add: red R and 1 more"]]
    assert baton("log", "b").out.split(maxsplit=2)[1:] == ["b", "add: red R and 1 more\n"]
