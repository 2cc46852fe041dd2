"""What is followed of a plan: from its file, or from its record and tasks alone."""

from __future__ import annotations

from gitbaton.core.ids import TaskId
from gitbaton.orchestration.chart import chart_of_plan, chart_of_record
from gitbaton.orchestration.proclaiming import read_plan_record
from gitbaton.tasks.model import Task
from tests.unit.orchestration.stage import Stage, plan_of
from tests.unit.plans.plantext import phase
from tests.unit.tasks.desk import task

PARTS = (
    phase("a", 'estimate = "10m"'),
    phase("b", 'needs = ["a"]', 'estimate = "20m"'),
    phase("c", 'needs = ["a"]', 'timeout = "5m"'),
    phase("d", 'needs = ["b", "c"]', 'estimate = "1h"'),
)


def tasks(**statuses: str) -> dict[TaskId, Task]:
    return {
        TaskId(f"p.{id}"): task(f"p.{id}", status=status, plan="p")
        for id, status in statuses.items()
    }


def test_what_is_left_of_the_critical_path_shrinks_as_phases_finish() -> None:
    chart = chart_of_plan(plan_of(*PARTS)[0])
    assert chart.path_left({}) == (["p.a", "p.b", "p.d"], 5400.0)
    assert chart.path_left(tasks(a="done")) == (["p.b", "p.d"], 4800.0)
    assert chart.path_left(tasks(a="done", b="done")) == (["p.c", "p.d"], 3900.0)
    everything = tasks(a="done", b="done", c="failed", d="cancelled")
    assert chart.path_left(everything) == ([], 0)
    assert (chart.tails[TaskId("p.a")], chart.weighed) == (5400.0, True)


def test_without_the_file_timeouts_weigh() -> None:
    stage = Stage()
    stage.show(*PARTS).start()
    view = stage.other.view()
    record = read_plan_record(view.snapshot, "p")
    assert record is not None
    chart = chart_of_record(record, view.tasks)
    assert (chart.phases, chart.weighed) == (("p.a", "p.b", "p.c", "p.d"), True)
    assert chart.path_left(view.tasks) == (["p.a", "p.b", "p.d"], 900.0)


def test_needs_in_a_circle_that_somebody_made_by_hand_stop_nobody_from_looking() -> None:
    stage = Stage()
    stage.show(*PARTS).start()
    view = stage.other.view()
    record = read_plan_record(view.snapshot, "p")
    assert record is not None
    ring = {
        TaskId("p.a"): task("p.a", needs=["p.b"]),
        TaskId("p.b"): task("p.b", needs=["p.a"]),
    }
    assert len(chart_of_record(record, ring).path_left(ring)[0]) == 1
