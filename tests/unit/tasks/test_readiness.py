"""The ready graph: every obstacle by name, and the order in which to try."""

from __future__ import annotations

import time
from typing import Any

from gitbaton.store.model import Key
from gitbaton.tasks.claims import Claimant
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.leases import Sight
from gitbaton.tasks.model import Task
from gitbaton.tasks.readiness import Readiness, claim_order
from gitbaton.tasks.view import View
from tests.unit.tasks.desk import PROJECT, claimed, task, view_of, who


def readiness(view: View, claimant: Claimant | None = None) -> Readiness:
    return Readiness(view, GateKeeper(project=PROJECT), claimant)


def why(t: Task, *others: Task, claimant: Claimant | None = None, **view: Any) -> list[str]:
    """Return kind:about of the obstacles of ``t``, after checking that ready() agrees."""
    answers = readiness(view_of(t, *others, **view), claimant)
    found = [f"{o.kind}:{o.about}" for o in answers.obstacles(t)]
    assert (t in answers.ready()) == (not found)
    return found


def test_a_pending_task_without_conditions_is_ready() -> None:
    assert why(task()) == []


def test_only_pending_tasks_are_ready() -> None:
    assert why(claimed()) == ["claim:bob"]
    for status in ("review", "blocked", "done", "failed", "cancelled"):
        assert why(task(status=status)) == [f"status:{status}"]


def test_needs_are_met_when_done_or_pushed_for_review() -> None:
    t = task(needs=("n",))
    assert why(t, task("n", status="done")) == []
    assert why(t, task("n", status="review", result={"branch": "task/n"})) == []
    for need in (
        task("n"),
        claimed("n"),
        task("n", status="review"),
        task("n", status="review", result={"commit": "a" * 40}),
        task("n", status="blocked"),
        task("n", status="failed"),
        task("n", status="cancelled"),
    ):
        assert why(t, need) == ["need:n"]


def test_a_failed_need_is_named_with_its_reason_and_the_remedy() -> None:
    t = task(needs=("n",))
    view = view_of(t, task("n", status="failed", reason="tests\nred"))
    [obstacle] = readiness(view).obstacles(t)
    assert "n, which is failed: tests red" in obstacle.text
    assert obstacle.next == "baton retry n"


def test_unknown_and_damaged_needs_are_named() -> None:
    t = task(needs=("gone", "bad"))
    view = view_of(t, damaged={Key("tasks/bad"): "tasks/bad: title: wrong"})
    texts = [obstacle.text for obstacle in readiness(view).obstacles(t)]
    assert texts == [
        "it needs gone, which does not exist",
        "it needs bad, which cannot be read (tasks/bad: title: wrong)",
    ]


def test_a_circle_that_two_edits_made_is_shown() -> None:
    a, b = task("a", needs=("b",)), task("b", needs=("a",))
    texts = [obstacle.text for obstacle in readiness(view_of(a, b)).obstacles(a)]
    assert texts[-1] == "it can never start: a -> b -> a is a circle"


def test_gates_and_capabilities() -> None:
    assert why(task(gate="g")) == ["gate:g"]
    t = task(requires=("gpu", "linux"))
    assert why(t) == []
    assert why(t, claimant=who("bob", "linux")) == ["capability:gpu"]
    assert why(t, claimant=who("bob", "linux", "gpu")) == []


def test_a_delay_counts_from_this_observers_sight() -> None:
    t = task(delay=30)
    assert why(t) == ["delay:t"]
    assert why(t, sights={"t": Sight(delay=29.5)}) == ["delay:t"]
    assert why(t, sights={"t": Sight(delay=30)}) == []


def test_paths_are_compared_with_those_in_progress_only() -> None:
    t = task(paths=("src/**",))
    assert why(t, task("n", paths=("src/a",))) == []
    assert why(t, claimed("n", paths=("docs/**",))) == []
    assert why(t, claimed("n", paths=("src/a",))) == ["paths:n"]
    assert why(task(), claimed("n", paths=("src/a",))) == []


def test_the_order_is_priority_then_age_then_id() -> None:
    old = "2025-01-01T00:00:00Z"
    tasks = [task("c"), task("b"), task("d", created_at=old), task("a", priority=3)]
    assert [t.id for t in claim_order(tasks)] == ["d", "b", "c", "a"]


def test_claimants_spread_over_equals_and_only_over_equals() -> None:
    equals = [task(f"t{i}") for i in range(50)]
    urgent = task("urgent", priority=0)
    first = set()
    for number in range(40):
        order = claim_order([*equals, urgent], who(f"agent-{number}"))
        assert order[0] is urgent
        assert sorted(t.id for t in order[1:]) == sorted(t.id for t in equals)
        first.add(order[1].id)
    assert len(first) > 20
    same_name = {claim_order(equals, who("bob", worker=f"w{i}"))[0].id for i in range(20)}
    assert len(same_name) > 5


def test_ten_thousand_tasks_are_sorted_out_quickly() -> None:
    tasks = [task("t0", status="done")]
    tasks += [task(f"t{i}", needs=(f"t{i - 1}",), paths=(f"src/{i}/**",)) for i in range(1, 9900)]
    tasks += [claimed(f"held{i}", paths=(f"lib/{i}/*.py",)) for i in range(100)]
    view = view_of(*tasks)
    started = time.process_time()
    ready = readiness(view, who()).ready()
    circle = readiness(view).obstacles(view.find("t9899"))
    assert time.process_time() - started < 5
    assert [t.id for t in ready] == ["t1"]
    assert [o.about for o in circle] == ["t9898"]
