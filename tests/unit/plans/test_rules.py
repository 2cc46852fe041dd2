"""Mistakes between phases: ids, needs, circles, checks, branches, paths."""

from __future__ import annotations

import pytest

from gitbaton.plans.validation import Surroundings
from tests.unit.plans.plantext import HEADER, needing, phase, problems, said

UNCHECKED = '[plan]\nname = "p"\n'


def words(*parts: str, around: Surroundings | None = None) -> list[str]:
    """Return the messages about a file of ``parts``, without the name of the phase."""
    found = problems(*parts, around=around)
    return [problem.message.partition(": ")[2] for problem in found]


def test_an_id_is_given_once() -> None:
    [problem] = problems(HEADER, phase("a"), phase("b"), phase("a"))
    assert (problem.line, problem.code, problem.phase) == (15, "duplicate-id", "a")
    assert "taken on line 5" in problem.message


def test_needs_must_exist() -> None:
    text = HEADER + phase("database") + phase("b", 'needs = [\n"databse",\n"database",\n"qq"]')
    assert [(p.line, p.message) for p in problems(text)] == [
        (14, "phase 'b': needs 'databse', and there is no such phase; did you mean 'database'?"),
        (16, "phase 'b': needs 'qq', and there is no such phase"),
    ]


@pytest.mark.parametrize(
    ("needs", "circles"),
    [
        ({"a": "a"}, ["a -> a"]),
        ({"a": "b", "b": "a"}, ["a -> b -> a"]),
        ({"a": "b", "b": "c", "c": "a", "d": "a"}, ["a -> b -> c -> a"]),
        ({"a": "b", "b": "a", "c": "d", "d": "c"}, ["a -> b -> a", "c -> d -> c"]),
        ({"a": "bc", "b": "a", "c": "a"}, ["a -> b -> a", "a -> c -> a"]),
        ({"a": "", "b": "a", "c": "ab"}, []),
    ],
)
def test_circles_are_shown_as_their_paths(needs: dict[str, str], circles: list[str]) -> None:
    text = HEADER + "".join(needing(id, *wanted) for id, wanted in needs.items())
    assert words(text) == [f"the needs go in a circle: {circle}" for circle in circles]


def test_a_circle_is_shown_at_the_need_that_closes_it() -> None:
    [problem] = problems(HEADER, needing("a", "b"), phase("b", 'needs = [\n"a"]'))
    assert problem.line == 14


def test_something_must_check_every_phase() -> None:
    assert said(UNCHECKED, phase("a")) == ["3 error no-check"]
    assert said(UNCHECKED, phase("a", "checks = []")) == ["7 error no-check"]
    assert said(UNCHECKED, phase("a", 'checks = ["x"]')) == []
    assert said(UNCHECKED, phase("a"), around=Surroundings(checked=True)) == []


def test_checks_that_cannot_be_read_are_not_missing_too() -> None:
    assert said(UNCHECKED, phase("a", "checks = 1")) == ["7 error type"]
    assert said(UNCHECKED, "checks = 1\n", phase("a")) == ["3 error type"]


@pytest.mark.parametrize(
    ("branches", "expected"),
    [
        (["x", "y"], []),
        (["x", "x"], ["branch 'x' is already that of phase 'a'"]),
        (["task/p.b", None], ["branch 'task/p.b' is already that of phase 'b'"]),
        (["task/p.a"], []),
        (["main"], ["branch 'main' is already that of the project"]),
        (["baton"], ["branch 'baton' is already that of gitbaton itself"]),
        (["main/x"], ["branch 'main/x' cannot exist beside 'main'"]),
        (["x", "x/y"], ["branch 'x' cannot exist beside 'x/y'"]),
        (["task", None], ["branch 'task' cannot exist beside 'task/p.b'"]),
        ([None, "task/p.a/x"], ["branch 'task/p.a/x' cannot exist beside 'task/p.a'"]),
    ],
)
def test_branches(branches: list[str | None], expected: list[str]) -> None:
    parts = [
        phase(id, *([f'branch = "{branch}"'] if branch else []))
        for id, branch in zip("ab", branches, strict=False)
    ]
    found = words(HEADER, *parts, around=Surroundings(taken=("main",)))
    assert [text.removesuffix(" in git") for text in found] == expected


def test_the_target_of_the_plan_is_taken() -> None:
    assert said(
        'plan.name = "p"\nplan.target = "dev"\nplan.checks = ["x"]\n', phase("a", 'branch = "dev"')
    ) == ["8 error duplicate-branch"]


def test_another_prefix_of_branches() -> None:
    text = HEADER + phase("a") + phase("b", 'branch = "w/p.a"')
    assert said(text) == []
    assert said(text, around=Surroundings(prefix="w/")) == ["13 error duplicate-branch"]


def test_phases_that_may_run_together_and_touch_one_file() -> None:
    one, other = 'paths = ["src/**"]', 'paths = ["docs/*", "**/*.py"]'
    [problem] = problems(HEADER, phase("a", one), phase("b", other))
    assert (problem.line, problem.level, problem.code) == (8, "warning", "paths")
    assert "'a' may run beside 'b'" in problem.message
    assert "(src/** and **/*.py)" in problem.message
    assert said(HEADER, phase("a", one), phase("b", other, 'needs = ["a"]')) == []
    between = needing("m", "a")
    assert said(HEADER, phase("a", one), between, phase("b", other, 'needs = ["m"]')) == []


def test_too_many_meetings_are_counted() -> None:
    parts = [phase(f"a{number}", 'paths = ["src/**"]') for number in range(20)]
    found = problems(HEADER, *parts)
    assert len(found) == 51
    assert any("140 more pairs" in problem.message for problem in found)


def test_a_circle_hides_only_what_cannot_be_known() -> None:
    one = 'paths = ["src/**"]'
    text = HEADER + phase("a", one) + phase("b", one, 'needs = ["b"]') + phase("c", "x = 1")
    assert said(text) == ["14 error circle", "19 error unknown-key"]
