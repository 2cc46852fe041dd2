"""What `plan run` and `plan status` print: lines, JSON, 80 columns, nothing that steers (I8)."""

from __future__ import annotations

import io
import itertools
import json
from typing import Any

import pytest

from gitbaton.cli.output import Output
from gitbaton.cli.plan.running import PlanScreen, event_line
from gitbaton.cli.plan.standing import print_status, status_document
from gitbaton.core.clock import ManualClock
from gitbaton.orchestration.events import PlanEvent
from tests.unit.orchestration.stage import Stage
from tests.unit.plans.plantext import needing, phase
from tests.unit.tasks.desk import AT


def printed(event: PlanEvent, **flags: Any) -> str:
    out = io.StringIO()
    with PlanScreen(Output(out, io.StringIO(), {}, **flags), ManualClock()) as screen:
        screen.show(event)
    return out.getvalue()


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            PlanEvent(kind="done", at=AT, task="p.a", text="on task/p.a", commit="0123456789abcd"),
            "00:00:00 done      p.a: on task/p.a (0123456789)",
        ),
        (PlanEvent(kind="announced", at=AT, text="revision 2"), "00:00:00 announced revision 2"),
        (
            PlanEvent(kind="declined", at=AT, task="p.a", worker="w1", text="no disk"),
            "00:00:00 declined  p.a at w1: no disk",
        ),
        (
            PlanEvent(kind="drift", at=AT, task="p.a", text="it is done", next="baton retry p.a"),
            "00:00:00 drift     p.a: it is done; next: baton retry p.a",
        ),
    ],
)
def test_an_event_is_a_line(event: PlanEvent, line: str) -> None:
    assert event_line(event) == line
    assert printed(event) == line + "\n"


def test_json_is_an_object_a_line() -> None:
    event = PlanEvent(kind="progress", at=AT, done=1, total=4)
    assert json.loads(printed(event, json=True)) == {
        "event": "progress",
        "at": AT,
        "done": 1,
        "total": 4,
    }
    assert printed(event) == "00:00:00 1 of 4 phases done\n"
    assert printed(event, quiet=True) == ""


def test_bells_are_told_only_to_those_who_want_more() -> None:
    event = PlanEvent(kind="rung", at=AT, task="p.a", worker="w1")
    assert printed(event) == ""
    assert printed(event, verbose=True) == "00:00:00 rung      p.a at w1\n"


def test_status_says_who_runs_what_and_why_the_rest_waits() -> None:
    stage = Stage(lease=60.0)
    long = "x" * 60
    parts = (phase("top"), needing("left", "top"), needing(f"{long}", "top"), needing("z", "left"))
    show = stage.show(*parts)
    show.start()
    stage.do("top")
    claimed = stage.claim("left")
    assert claimed is not None
    stage.enlist("w9", rings=False)
    look = show.step()
    out = io.StringIO()
    print_status(Output(out, io.StringIO(), {}), look, stage.desk.clock.now())
    text = out.getvalue()
    assert "p: 1 of 4 phases done, revision 1" in text
    assert "left -> z" in text and "2 phases left" in text
    assert "it needs p.left, which" in text
    assert "w1 on m1" in text
    document = status_document(look, in_force=True)
    phases = {each["id"]: each for each in document["phases"]}
    assert phases["left"]["worker"] == "w1" and phases[long]["goes_to"] == "w9"
    assert phases["z"]["why"] == "it needs p.left, which is in-progress"
    assert (document["done"], document["total"], document["critical_path"]) == (
        1,
        4,
        ["p.left", "p.z"],
    )


def test_status_fits_80_columns() -> None:
    stage = Stage(lease=60.0)
    ids = [f"phase-number-{number}" for number in range(30)]
    parts = [
        phase(ids[0]),
        *(needing(id, before) for before, id in itertools.pairwise(ids)),
    ]
    look = stage.show(*parts).start()
    out = io.StringIO()
    print_status(Output(out, io.StringIO(), {}), look, stage.desk.clock.now())
    assert all(len(line) <= 80 for line in out.getvalue().splitlines())
