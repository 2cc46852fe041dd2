"""What a plan file asks of the tasks that are there already."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import TaskExists
from gitbaton.core.ids import TaskId
from gitbaton.plans.drafting import draft_plan
from gitbaton.plans.model import Plan
from gitbaton.plans.reconciling import Changes, reconcile
from gitbaton.tasks.drafts import compose
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.settings import QueueSettings
from tests.unit.plans.plantext import HEADER, judge, needing, phase
from tests.unit.tasks.desk import claimed, task

Tasks = Mapping[TaskId, Task]


def plan(*parts: str) -> Plan:
    found = judge(HEADER, *parts).plan
    assert found is not None
    return found


def added(wanted: Plan) -> dict[TaskId, Task]:
    """Return the tasks after all drafts were added to nothing."""
    now = ManualClock().now()
    return {
        TaskId(draft.id): compose(
            draft, TaskId(draft.id), settings=QueueSettings("x"), by="me", now=now
        )
        for draft in draft_plan(wanted)
        if draft.id is not None
    }


def changes(wanted: Plan, tasks: Tasks) -> Changes:
    return reconcile(wanted, tasks, usual_attempts=QueueSettings("x").max_attempts)


def at(status: Status, like: Task) -> Task:
    """Return ``like`` in this status."""
    if status is Status.IN_PROGRESS:
        return replace(
            claimed(like.id, plan="p"),
            title=like.title,
            checks=like.checks,
            deliverable=like.deliverable,
        )
    return replace(like, status=status)


def test_a_new_plan_is_added_whole_and_then_there_is_nothing_to_do() -> None:
    wanted = plan(phase("a"), needing("b", "a"))
    first = changes(wanted, {})
    assert [draft.id for draft in first.add] == ["p.a", "p.b"]
    assert changes(wanted, added(wanted)) == Changes([], {}, [])
    assert changes(wanted, added(wanted)).none


def test_what_the_configuration_says_is_no_difference() -> None:
    tasks = {
        id: replace(t, timeout=60.0, max_attempts=5) for id, t in added(plan(phase("a"))).items()
    }
    usual = reconcile(plan(phase("a")), tasks, usual_attempts=5, usual_timeout=60.0)
    assert usual == Changes([], {}, [])
    [draft] = reconcile(plan(phase("a")), {}, usual_attempts=5, usual_timeout=60.0).add
    assert (draft.max_attempts, draft.timeout) == (5, 60.0)
    said = plan(phase("a", "max_attempts = 1"))
    other = reconcile(said, tasks, usual_attempts=5, usual_timeout=60.0)
    assert other.edit == {"p.a": {"max_attempts": 1}}


def test_what_a_phase_becomes() -> None:
    text = """
[plan]
name = "p"
target = "dev"
checks = ["one", "two"]
timeout = "1h"
max_attempts = 7
[toolchain]
python = ">=3.11"
[[phase]]
id = "a"
title = "A"
deliverable = ["x/*", "y"]
[[phase]]
id = "b"
title = "B"
deliverable = "words"
prompt = "do it"
needs = ["a"]
checks = ["two", "three"]
requires = ["gpu"]
worker = "w1"
paths = ["x/**"]
branch = "f/b"
priority = 0
gate = "g"
timeout = "90s"
max_attempts = 1
estimate = "2h"
"""
    found = judge(text).plan
    assert found is not None
    one, other = draft_plan(found)
    assert dataclasses.asdict(one) == {
        "id": "p.a",
        "plan": "p",
        "title": "A",
        "body": "",
        "deliverable": "files:\nx/*\ny",
        "needs": (),
        "requires": ("toolchain+p",),
        "checks": ("one", "two"),
        "paths": (),
        "branch": None,
        "target": "dev",
        "priority": 2,
        "gate": None,
        "labels": (),
        "timeout": 3600.0,
        "max_attempts": 7,
        "external_ref": None,
    }
    assert dataclasses.asdict(other) == {
        "id": "p.b",
        "plan": "p",
        "title": "B",
        "body": "do it",
        "deliverable": "words",
        "needs": ("p.a",),
        "requires": ("gpu", "worker+w1", "toolchain+p"),
        "checks": ("one", "two", "three"),
        "paths": ("x/**",),
        "branch": "f/b",
        "target": "dev",
        "priority": 0,
        "gate": "g",
        "labels": (),
        "timeout": 90.0,
        "max_attempts": 1,
        "external_ref": None,
    }


@pytest.mark.parametrize("status", list(Status))
def test_a_changed_phase(status: Status) -> None:
    before = plan(phase("a"))
    [(id, old)] = added(before).items()
    tasks = {id: at(status, old)}
    assert changes(before, tasks).none
    found = changes(plan(phase("a", "priority = 0", title="New")), tasks)
    if status in (Status.PENDING, Status.BLOCKED, Status.FAILED):
        assert found == Changes([], {id: {"title": "New", "priority": 0}}, [])
    else:
        assert found.none
        [drift] = found.drift
        assert drift.task == "p.a"
        assert drift.text == f"the file changed (priority, title), and the task is {status}"
        again = status in (Status.DONE, Status.CANCELLED)
        assert drift.next == f"baton {'retry' if again else 'show'} p.a"


@pytest.mark.parametrize("status", list(Status))
def test_a_phase_that_is_no_longer_in_the_file_is_told_and_left(status: Status) -> None:
    tasks = added(plan(phase("a"), phase("b")))
    tasks[TaskId("p.b")] = at(status, tasks[TaskId("p.b")])
    found = changes(plan(phase("a")), tasks)
    assert found.none
    told = [drift.next for drift in found.drift]
    assert told == ([] if status in (Status.DONE, Status.CANCELLED) else ["baton cancel p.b"])


def test_tasks_of_others_are_not_looked_at() -> None:
    wanted = plan(phase("a"))
    tasks = {**added(wanted), TaskId("x"): task("x"), TaskId("q.a"): task("q.a", plan="q")}
    assert changes(wanted, tasks) == Changes([], {}, [])


def test_a_task_of_the_name_of_a_phase_that_is_not_of_the_plan_is_never_touched() -> None:
    for plan_name in (None, "q"):
        with pytest.raises(TaskExists):
            changes(plan(phase("a")), {TaskId("p.a"): task("p.a", plan=plan_name)})


def test_labels_that_people_gave_stay() -> None:
    wanted = plan(phase("a"))
    tasks = {id: replace(t, labels=("mine",)) for id, t in added(wanted).items()}
    assert changes(wanted, tasks).none


def test_an_edit_that_would_close_a_circle_with_what_runs_is_held_back() -> None:
    """b ran with its need of a; the new file turns the need around."""
    tasks = added(plan(phase("a"), needing("b", "a")))
    running = replace(claimed("p.b", plan="p"), needs=(TaskId("p.a"),))
    tasks[TaskId("p.b")] = running
    found = changes(plan(needing("a", "b"), phase("b")), tasks)
    assert found.none
    told = {drift.task: drift.text for drift in found.drift}
    assert "would go in a circle" in told[TaskId("p.a")]
    assert "the file changed" in told[TaskId("p.b")]
