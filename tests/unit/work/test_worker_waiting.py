"""What an idle worker says, and when a drain is over (pure)."""

from __future__ import annotations

import pytest

from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.leases import Sight
from gitbaton.tasks.model import Task
from gitbaton.tasks.readiness import Readiness
from gitbaton.work.waiting import Waiting, describe_waiting, holds_up, pause_between_looks
from tests.unit.tasks.desk import PROJECT, claimed, task, view_of, who

DELAYED = task("late", delay=30.0)


def waiting(*tasks: Task, sights: dict[str, Sight] | None = None) -> Waiting:
    view = view_of(*tasks, sights=sights)
    return describe_waiting(view, Readiness(view, GateKeeper(project=PROJECT), who("bob")))


def over(*tasks: Task) -> bool:
    view = view_of(*tasks)
    return not holds_up(view, Readiness(view, GateKeeper(project=PROJECT), who("bob")))


def test_each_obstacle_is_named_and_the_rest_counted() -> None:
    said = waiting(
        task("a", requires=["gpu"]),
        task("b", needs=["a"]),
        task("c", gate="prod"),
        task("d", needs=["a"]),
        claimed("e"),
        task("f", status="blocked"),
        task("g", status="done"),
    )
    assert said.text.startswith("a: it requires 'gpu', which w1 does not have; b: it needs a, ")
    assert said.text.endswith("1 more (baton status); 1 in-progress; 1 blocked")


def test_an_empty_queue_and_a_lost_race_have_words_too() -> None:
    assert waiting(task("g", status="done")).text == "there is no open task"
    assert waiting(task("a")).text == "others took what was ready"


def test_seconds_that_pass_are_no_news_but_other_obstacles_are() -> None:
    first, later = waiting(DELAYED), waiting(DELAYED, sights={"late": Sight(delay=9.0)})
    assert first.text != later.text
    assert first.marks == later.marks
    assert waiting(DELAYED, task("b", needs=["late"])).marks != first.marks


@pytest.mark.parametrize(
    ("left", "ended"),
    [
        ((), True),
        ((task("a"),), False),
        ((DELAYED,), False),
        ((claimed("a"),), False),
        ((task("a", requires=["gpu"]),), True),
        ((task("a", gate="prod"),), True),
        ((task("a", status="failed"), task("b", needs=["a"])), True),
        ((task("a", status="blocked"), task("b", status="review")), True),
        ((claimed("a", paths=["src/*"]), task("b", paths=["src/*"])), False),
    ],
)
def test_a_drain_is_over_when_nothing_will_change_by_waiting(
    left: tuple[Task, ...], ended: bool
) -> None:
    assert over(*left) is ended


def test_an_idle_worker_looks_less_and_less_often_but_never_gives_up() -> None:
    pauses = [pause_between_looks(quiet) for quiet in (0, 1, 5, 9, 100, 100_000)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (2.0, 20.0), "days later it still looks"
