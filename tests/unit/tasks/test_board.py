"""The board: which tasks wait on it, and files that no title can break out of (I8)."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gitbaton.store.model import Value
from gitbaton.store.protocol import BoardPolicy
from gitbaton.tasks.board import NEVER_PARKED, TaskBoardPolicy
from gitbaton.tasks.model import Task, encode_task
from gitbaton.tasks.page import MOST_NODES, escape, plain_label
from gitbaton.tasks.text import is_line
from tests.unit.tasks.desk import AT, claimed, task

POLICY = TaskBoardPolicy()
HOSTILE = '"]; click n0 "javascript:x" ``` | <script>alert(1)</script> [x](http://e) &#35; %% @ann'


def values(*tasks: Task) -> dict[str, Value]:
    return {t.id: encode_task(t) for t in tasks}


def page(*tasks: Task) -> str:
    return POLICY.render(values(*tasks))["README.md"].decode()


def diagram(text: str) -> list[str]:
    return text.partition("```mermaid\n")[2].partition("\n```")[0].splitlines()


def test_it_is_a_board_policy() -> None:
    policy: BoardPolicy = POLICY
    assert (policy.collection, policy.live_window) == ("tasks", 256)


def test_finished_tasks_fold_and_pending_ones_park() -> None:
    folds = {s for s in STATUSES if POLICY.finished({"status": s})}
    assert folds == {"done", "failed", "cancelled"}
    assert {s for s in STATUSES if POLICY.parkable({"status": s})} == {"pending"}
    assert set(STATUSES) - folds - {"pending"} == NEVER_PARKED
    assert not POLICY.finished({})
    assert not POLICY.parkable({"status": 3})


STATUSES = ("pending", "in-progress", "review", "blocked", "done", "failed", "cancelled")


def test_the_order_is_the_claim_order_and_survives_damage() -> None:
    old = "2025-01-01T00:00:00Z"
    records: dict[str, Any] = values(
        task("c"), task("b"), task("a", priority=3), task("z", created_at=old)
    )
    records["bad"] = {"priority": "high"}
    ordered = sorted(records, key=lambda name: POLICY.order(name, records[name]))
    assert ordered == ["z", "b", "c", "a", "bad"]


def test_more_is_wanted_while_little_looks_ready() -> None:
    small = TaskBoardPolicy(live_window=8)
    assert small.wanted({}) == 4
    assert small.wanted(values(task("a"))) == 3
    assert small.wanted(values(task("a"), task("b"))) == 0
    waiting = [task(f"w{i}", needs=("a",)) for i in range(20)]
    assert small.wanted(values(task("a"), *waiting)) == 3
    assert small.wanted(values(task("a", status="done"), *waiting)) == 0
    assert TaskBoardPolicy(live_window=1).wanted({}) == 1


def test_tasks_json_has_the_shape_that_programs_follow() -> None:
    data = POLICY.render(values(task("b"), claimed("a", agent="agent-laptop-B")))["tasks.json"]
    assert json.loads(data) == {
        "tasks": [
            {
                "id": "a",
                "status": "in-progress",
                "claimedBy": "agent-laptop-B",
                "claimedAt": AT,
            },
            {"id": "b", "status": "pending", "claimedBy": None, "claimedAt": None},
        ]
    }
    assert sum(b'"id"' in line for line in data.splitlines()) == 2
    assert json.loads(POLICY.render({})["tasks.json"]) == {"tasks": []}


def test_the_page_shows_who_does_what_and_what_waits_for_people() -> None:
    text = page(
        claimed("run", agent="laptop-C/w1#2"),
        task("stuck", status="blocked", reason="which port?"),
        task("look", status="review", result={"branch": "task/look"}),
        task("gated", gate="security"),
        task("over", status="done", updated_at="2026-02-02T00:00:00Z"),
    )
    assert re.search(r"\| `run` run \| laptop-C/w1\\#2 \| 2026-01-01T00:00:00Z \| 1 \|", text)
    assert "which port?" in text
    assert "`accept look`" in text
    assert "`approve gated`" in text
    assert "| `over` over | done | 2026-02-02T00:00:00Z |" in text
    assert "| 1 | 1 | 1 | 1 | 1 | 0 | 0 |" in text


def test_the_graph_has_open_tasks_and_their_needs() -> None:
    lines = diagram(page(task("a"), task("b", needs=("a",)), task("c", status="done")))
    assert lines[0] == "flowchart LR"
    assert '    n0["a<br/>a"]:::pending' in lines
    assert "    n0 --> n1" in lines
    assert not any('["c' in line for line in lines)


def test_the_graph_is_bounded() -> None:
    text = page(*(task(f"t{i:03}") for i in range(200)))
    assert sum('["' in line for line in diagram(text)) == MOST_NODES
    assert "The first 60 of 200 open tasks." in text


def test_the_same_tasks_make_the_same_files() -> None:
    tasks = [task("a"), claimed("b"), task("c", needs=("a",))]
    assert POLICY.render(values(*tasks)) == POLICY.render(values(*reversed(tasks)))


def test_a_damaged_record_is_listed_and_stops_nothing() -> None:
    files = POLICY.render({**values(task("a")), "bad": {"format": 1, "title": HOSTILE}})
    assert [t["id"] for t in json.loads(files["tasks.json"])["tasks"]] == ["a"]
    assert "Records that cannot be read" in files["README.md"].decode()


NODE = re.compile(r'    n\d+\["[a-z0-9._-]+<br/>[\w .,()+\'/…-]*"\]:::\w+')


@settings(max_examples=100, deadline=None)
@given(title=st.one_of(st.just(HOSTILE), st.text(min_size=1, max_size=60).filter(is_line)))
def test_no_title_breaks_out_of_its_cell_or_node(title: str) -> None:
    if not title.strip():
        return
    ordinary = page(claimed("a", title="x"), task("b", title="x"))
    hostile = page(claimed("a", title=title), task("b", title="x"))
    assert len(hostile.splitlines()) == len(ordinary.splitlines())
    assert hostile.count("```") == ordinary.count("```")
    assert all(NODE.fullmatch(line) for line in diagram(hostile) if '["' in line)
    cell = escape(title)
    assert not re.search(r"(?<!\\)[|<>`*\[\]_~#&@]", cell.replace("\\\\", ""))


def test_escapes() -> None:
    assert escape("a|b`c`") == "a\\|b\\`c\\`"
    assert plain_label('x"] --> y') == "x -- y"


def test_a_long_board_says_how_many_it_does_not_show() -> None:
    files = POLICY.render(values(task("a")), others=99_999)
    assert "99,999 more" in files["README.md"].decode()
    assert [t["id"] for t in json.loads(files["tasks.json"])["tasks"]] == ["a"]
    assert "more that wait" not in page(task("a"))
