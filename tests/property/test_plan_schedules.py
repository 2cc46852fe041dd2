"""Schedules of random plans: small ones against the plain rules, larger ones by what must hold."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gitbaton.core.ids import TaskId
from gitbaton.plans.scheduling import Hand, Scene, schedule
from gitbaton.plans.words import pin_word
from gitbaton.tasks.model import Task
from tests.unit.plans.rulebook import best, meet, meets_itself
from tests.unit.tasks.desk import claimed, task

WORDS = ("fast", "big", pin_word("w0"), pin_word("w1"))
GLOBS = ("a/**", "b/*", "*/x", "**/*.c", "a/x", "c/d/")
STATUSES = ("pending", "pending", "pending", "done", "in-progress", "failed", "review")


@st.composite
def hands(draw: st.DrawFn, most: int) -> list[Hand]:
    """Return workers, by name."""
    return [
        Hand(
            name=f"w{number}",
            words=frozenset({*draw(st.sets(st.sampled_from(WORDS[:2]))), pin_word(f"w{number}")}),
            slots=draw(st.integers(1, 3)),
            busy=draw(st.integers(0, 2)),
            load=draw(st.sampled_from([0.0, 0.5])),
            away=draw(st.sampled_from([None, None, None, "draining"])),
        )
        for number in range(draw(st.integers(0, most)))
    ]


@st.composite
def scenes(draw: st.DrawFn, phases: int, workers: int) -> Scene:
    """Return a scene in which nothing that runs touches the files of something else that does."""
    tasks: list[Task] = []
    for number in range(draw(st.integers(0, phases))):
        status = draw(st.sampled_from(STATUSES))
        earlier = [t.id for t in tasks]
        fields: dict[str, Any] = {
            "needs": draw(st.sets(st.sampled_from(earlier), max_size=2)) if earlier else (),
            "requires": draw(st.sampled_from([(), (), ("fast",), ("fast", "big"), (WORDS[2],)])),
            "paths": draw(st.sampled_from([(), (), *itertools.combinations(GLOBS, 1), GLOBS[1:3]])),
            "priority": draw(st.integers(1, 2)),
            "created_at": f"2026-01-0{draw(st.integers(1, 2))}T00:00:00Z",
        }
        id = f"t{number}"
        running = status == "in-progress"
        made = claimed(id, **fields) if running else task(id, status=status, **fields)
        if not meets_itself([*tasks, made]):
            tasks.append(made)
    return Scene(
        tasks={t.id: t for t in tasks},
        phases=draw(st.permutations([t.id for t in tasks])),
        hands=draw(hands(workers)),
        tails={t.id: float(draw(st.integers(1, 3))) for t in tasks},
        held={t.id: "held" for t in tasks if draw(st.sampled_from([False] * 5 + [True]))},
        reserved={t.id: t.paths for t in tasks if t.status == "in-progress"},
    )


@given(scenes(5, 2))
@settings(max_examples=120, deadline=None)
def test_small_schedules_are_what_the_plain_rules_say(scene: Scene) -> None:
    found = [(assignment.task, assignment.worker) for assignment in schedule(scene).assignments]
    assert found == best(scene)


@given(scenes(25, 5))
@settings(max_examples=60, deadline=None)
def test_what_holds_for_every_schedule(scene: Scene) -> None:
    result = schedule(scene)
    by_name = {hand.name: hand for hand in scene.hands}
    given_out: dict[TaskId, Hand] = {a.task: by_name[a.worker] for a in result.assignments}
    tasks = scene.tasks
    pending = {id for id, t in tasks.items() if t.status == "pending"}
    assert set(given_out) | set(result.waiting) == pending
    assert not set(given_out) & set(result.waiting)
    assert all(reason.strip() for reason in result.waiting.values())
    taken = Counter(hand.name for hand in given_out.values())
    for hand in scene.hands:
        assert not taken[hand.name] or (
            hand.away is None and hand.busy + taken[hand.name] <= hand.slots
        )
    running = [*scene.reserved, *given_out]
    for id, chosen in given_out.items():
        assert set(tasks[id].requires) <= chosen.words
        assert id not in scene.held
        assert all(tasks[need].status == "done" for need in tasks[id].needs)
        assert not any(meet(tasks[id].paths, tasks[o].paths) for o in running if o != id)
    for id in result.waiting:  # nobody who waits could have been served as well
        free = (
            hand
            for hand in scene.hands
            if hand.away is None
            and hand.busy + taken[hand.name] < hand.slots
            and set(tasks[id].requires) <= hand.words
        )
        blocked = (
            id in scene.held
            or any(tasks[need].status != "done" for need in tasks[id].needs)
            or any(meet(tasks[id].paths, tasks[other].paths) for other in running)
        )
        assert blocked or next(free, None) is None
