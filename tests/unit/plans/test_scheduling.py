"""Who should take what: cases, and all small plans against a plain statement of the rules."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from gitbaton.core.ids import TaskId
from gitbaton.plans.graph import Graph
from gitbaton.plans.scheduling import Hand, Scene, Schedule, schedule
from gitbaton.plans.words import pin_word, toolchain_word
from gitbaton.tasks.model import Task
from tests.unit.plans.rulebook import best, meets_itself
from tests.unit.tasks.desk import claimed, task


def hand(name: str, *words: str, **fields: Any) -> Hand:
    """Return a worker with these words and its own."""
    return Hand(name=name, words=frozenset({*words, pin_word(name)}), **fields)


def plan_of(*tasks: Task, hands: Sequence[Hand], **scene: Any) -> Schedule:
    """Return the schedule for ``tasks``, all of them phases, in this order."""
    found = {t.id: t for t in tasks}
    return schedule(Scene(tasks=found, phases=list(found), hands=hands, **scene))


def pairs(result: Schedule) -> list[tuple[str, str]]:
    """Return the assignments as (phase, worker), in their order."""
    return [(assignment.task, assignment.worker) for assignment in result.assignments]


A, B = hand("a"), hand("b")


def test_one_phase_a_free_place() -> None:
    result = plan_of(task("x"), task("y"), task("z"), hands=(A, B))
    assert pairs(result) == [("x", "a"), ("y", "b")]
    assert result.waiting == {"z": "no free place on a, b"}


def test_priority_then_chain_then_age_then_the_plan() -> None:
    phases = (
        task("young", created_at="2026-01-02T00:00:00Z"),
        task("old", created_at="2026-01-01T00:00:00Z"),
        task("also-old", created_at="2026-01-01T00:00:00Z"),
        task("long"),
        task("urgent", priority=0, created_at="2026-01-09T00:00:00Z"),
    )
    result = plan_of(*phases, hands=(hand("a", slots=9),), tails={TaskId("long"): 5.0})
    order = [assignment.task for assignment in result.assignments]
    assert order == ["urgent", "long", "old", "also-old", "young"]


def test_the_least_loaded_worker() -> None:
    hands = (hand("a", slots=2, busy=1), hand("b", slots=4, busy=1), hand("c", slots=4, busy=1))
    assert pairs(plan_of(task("x"), hands=hands)) == [("x", "b")]
    loaded = (hand("a", load=0.9), hand("b", load=0.1))
    assert pairs(plan_of(task("x"), hands=loaded)) == [("x", "b")]
    many = plan_of(
        *(task(f"t{n}") for n in range(6)), hands=(hand("a", slots=2), hand("b", slots=4))
    )
    assert [worker for _, worker in pairs(many)] == ["a", "b", "b", "a", "b", "b"]


def test_needs_and_whatever_else_holds() -> None:
    result = plan_of(
        task("a", needs=("done", "shown", "run")),
        task("b", needs=("done", "shown")),
        task("c"),
        task("done", status="done"),
        task("shown", status="review", result={"branch": "x"}),
        claimed("run"),
        hands=(hand("w", slots=9),),
        held={TaskId("c"): "gate 'g' is not approved"},
    )
    assert pairs(result) == [("b", "w")]
    assert result.waiting == {
        "a": "it needs run, which is in-progress",
        "c": "gate 'g' is not approved",
    }


@pytest.mark.parametrize(
    ("need", "why"),
    [
        (
            task("n", status="failed", reason="tests\nred"),
            "it needs n, which is failed: tests red; next: baton retry n",
        ),
        (task("n", status="cancelled"), "it needs n, which is cancelled; next: baton retry n"),
        (
            task("n", status="blocked", reason="which?"),
            "it needs n, which is blocked: which?; next: baton unblock n",
        ),
        (task("other"), "it needs n, which does not exist; next: baton edit x"),
    ],
)
def test_a_need_that_will_not_come_by_itself_is_named_with_the_remedy(need: Task, why: str) -> None:
    result = plan_of(task("x", needs=("n",)), need, hands=(hand("w", slots=9),))
    assert result.waiting[TaskId("x")] == why


@pytest.mark.parametrize(
    ("requires", "hands", "why"),
    [
        ((), (), "there is no worker; next: baton worker serve"),
        (("gpu",), (A, B), "it requires 'gpu', which no worker has; next: baton worker list"),
        (
            ("gpu", "mac"),
            (hand("a", "gpu"), hand("b", "mac")),
            "it requires 'gpu' and it requires 'mac', and no one worker has all of it; "
            "next: baton worker list",
        ),
        (
            (pin_word("z"),),
            (A, B),
            "it is pinned to 'z', which is not registered; next: baton worker list",
        ),
        (
            (pin_word("a"), "gpu"),
            (A, hand("b", "gpu")),
            "it is pinned to 'a', but it requires 'gpu'",
        ),
        (
            (toolchain_word("p"),),
            (A,),
            "it requires the toolchain of plan 'p', which no worker has; next: baton worker list",
        ),
        (
            ("gpu",),
            (A, hand("b", "gpu", away="not seen for 20m")),
            "those who could do it are not taking work: b (not seen for 20m)",
        ),
    ],
)
def test_nobody_suitable(requires: tuple[str, ...], hands: tuple[Hand, ...], why: str) -> None:
    result = plan_of(task("x", requires=requires), hands=hands)
    assert (pairs(result), result.waiting) == ([], {"x": why})


def test_a_phase_that_nobody_can_take_holds_up_no_other() -> None:
    first = task("x", priority=0, requires=("gpu",))
    assert pairs(plan_of(first, task("y"), hands=(A,))) == [("y", "a")]


def test_paths_are_reserved_by_what_runs_and_by_what_is_given_out() -> None:
    result = plan_of(
        task("x", paths=("src/**",)),
        task("y", paths=("src/*.py",)),
        task("z", paths=("docs/*",)),
        task("free"),
        hands=(hand("w", slots=9),),
        reserved={TaskId("elsewhere"): ("docs/**",)},
    )
    assert pairs(result) == [("x", "w"), ("free", "w")]
    assert result.waiting[TaskId("y")].startswith("x may touch the same files: src/")
    assert result.waiting[TaskId("z")].startswith("elsewhere may touch the same files: docs/")


def test_only_phases_that_are_pending_and_known_are_looked_at() -> None:
    scene = Scene(tasks={TaskId("x"): task("x")}, phases=[TaskId("unknown")], hands=(A,))
    assert schedule(scene) == Schedule([], {})


# --- all small plans

GLOBS = (), ("a/*",), ("*/x",)
WORKERS = (hand("m", "fast", slots=1, load=0.5), hand("n", slots=2, load=0.1))


def small_graphs(size: int) -> Iterator[Mapping[str, Sequence[str]]]:
    """Yield every graph of ``size`` phases in which a phase needs earlier ones only.

    Every graph without a circle is one of these, but for the names.
    """
    ids = [f"p{number}" for number in range(size)]
    edges = list(itertools.combinations(range(size), 2))
    for chosen in itertools.product([False, True], repeat=len(edges)):
        kept = {edge for edge, there in zip(edges, chosen, strict=True) if there}
        yield {ids[b]: [ids[a] for a in range(b) if (a, b) in kept] for b in range(size)}


def dress(id: str, needs: Sequence[str], status: str, look: int) -> Task:
    """Return a phase; ``look`` chooses priority, capability, pin and paths."""
    words = ((), ("fast",), (pin_word("n"),))[look % 3]
    fields: dict[str, Any] = {
        "needs": needs,
        "requires": words,
        "paths": GLOBS[look // 3 % 3],
        "priority": 1 + look // 9 % 2,
    }
    if status == "in-progress":
        return claimed(id, **fields)
    return task(id, status=status, **fields)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_every_small_plan(size: int) -> None:
    """All graphs of up to four phases in all their states; looks and busy places go round."""
    looks = itertools.cycle([1, 0, 4, 12, 0, 9, 3, 7, 2, 15, 0, 5, 10, 6, 17, 8, 13])
    busy = itertools.cycle([(0, 0), (1, 0), (0, 1), (0, 2), (1, 1)])
    seen = 0
    for needs in small_graphs(size):
        tails = {TaskId(id): tail for id, tail in Graph(needs).tails().items()}
        for statuses in itertools.product(["pending", "in-progress", "done"], repeat=size):
            phases = [
                dress(id, wanted, status, next(looks))
                for (id, wanted), status in zip(needs.items(), statuses, strict=True)
            ]
            taken = next(busy)
            hands = [
                Hand(name=h.name, words=h.words, slots=h.slots, load=h.load, busy=b)
                for h, b in zip(WORKERS, taken, strict=True)
            ]
            scene = Scene(
                tasks={t.id: t for t in phases},
                phases=[t.id for t in phases],
                hands=hands,
                tails=tails,
                reserved={t.id: t.paths for t in phases if t.status == "in-progress"},
            )
            if meets_itself(phases):
                continue
            result = schedule(scene)
            assert pairs(result) == best(scene), scene
            pending = {t.id for t in phases if t.status == "pending"}
            assert {a.task for a in result.assignments} | set(result.waiting) == pending
            assert all(result.waiting.values())
            seen += 1
    assert seen > {1: 2, 2: 10, 3: 100, 4: 2000}[size]


def test_a_thousand_phases_are_scheduled_in_no_time() -> None:
    """The bound is ten times what it takes on an idle machine."""
    phases = [task(f"t{n}", paths=(f"src/m{n % 300}/**", f"*/{n}.md")) for n in range(1000)]
    hands = [hand(f"w{n}", slots=4) for n in range(50)]
    begun = time.process_time()
    result = plan_of(*phases, hands=hands)
    assert len(result.assignments) == 200
    assert time.process_time() - begun < 1
