"""Every mistake that a plan file can have in itself, with its line."""

from __future__ import annotations

import pytest

from gitbaton.core.config import Seconds
from gitbaton.plans.model import Header, Phase
from gitbaton.plans.reading import SIZE_LIMIT, read_plan
from gitbaton.plans.scaffold import example_plan
from gitbaton.plans.validation import validate_plan
from tests.unit.plans.plantext import HEADER, judge, phase, problems, said


def messages(*parts: str) -> list[str]:
    """Return where and what is said about a file of ``parts``."""
    return [f"{problem.line}: {problem.message}" for problem in problems(*parts)]


def test_the_example_is_a_plan_without_a_mistake() -> None:
    verdict = validate_plan(example_plan("plan.schema.json").encode())
    assert verdict.problems == []
    assert verdict.plan is not None
    assert [p.id for p in verdict.plan.phases] == ["design", "program", "tests", "release"]


def test_everything_that_can_be_said_is_read() -> None:
    text = """
[plan]
name = "shop"
description = "all of it"
target = "develop"
checks = ["make"]
timeout = "2h"
max_attempts = 5
[toolchain]
python = ">=3.11"
[[phase]]
id = "a"
title = "Do"
deliverable = ["docs/*.md"]
prompt = "words"
needs = []
checks = ["make test"]
requires = ["gpu"]
worker = "gpu-1"
paths = ["src/**"]
branch = "feature/a"
priority = 0
gate = "owner"
timeout = "90s"
max_attempts = 1
estimate = "1h"
"""
    verdict = judge(text)
    assert verdict.problems == []
    plan = verdict.plan
    assert plan is not None
    assert plan.plan == Header(
        name="shop",
        description="all of it",
        target="develop",
        checks=("make",),
        timeout=Seconds(7200),
        max_attempts=5,
    )
    assert plan.toolchain == {"python": ">=3.11"}
    assert plan.phases == (
        Phase(
            id="a",
            title="Do",
            deliverable=("docs/*.md",),
            prompt="words",
            checks=("make test",),
            requires=("gpu",),
            worker="gpu-1",
            paths=("src/**",),
            branch="feature/a",
            priority=0,
            gate="owner",
            timeout=Seconds(90),
            max_attempts=1,
            estimate=Seconds(3600),
        ),
    )


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"[plan]\nname = \n", 2, "invalid value"),
        (b"[plan\n", 1, "expected ']'"),
        (b'a = "x', 1, "unterminated string"),
        (b"a = 1\na = 2\n", 2, "cannot overwrite a value"),
        (b"a = 1\n\nb = '\xff'\n", 3, "no UTF-8"),
        (b"a = " + b"[" * 9000 + b"]" * 9000, 1, "nested too deeply"),
        (b"x = 1\na = " + b"1" * 5000, 2, "no TOML"),
        (b"# " + b"x" * SIZE_LIMIT, 1, "at most"),
    ],
)
def test_what_is_no_toml_is_said_once_with_its_line(data: bytes, line: int, words: str) -> None:
    [problem] = read_plan(data).problems
    assert (problem.line, problem.level, problem.code) == (line, "error", "syntax")
    assert words in problem.message


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_the_same_whatever_ends_them(end: str) -> None:
    text = "\ufeff" + HEADER + phase("a", "x = 1")
    [problem] = read_plan(text.replace("\n", end).encode()).problems
    assert problem.line == 8


def test_unknown_names_are_told_with_what_was_meant() -> None:
    text = '[plan]\nname = "p"\nchecks = ["x"]\ntagret = "m"\n[tools]\n' + phase("a", "need = []")
    assert messages(text) == [
        "4: [plan] there is no key 'tagret'; did you mean 'target'?",
        "5: there is no table 'tools'; did you mean 'toolchain'?",
        "10: phase 'a': there is no key 'need'; did you mean 'needs'?",
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("priority = true", "must be a whole number, not true or false"),
        ("priority = 1.5", "must be a whole number, not a number"),
        ("prompt = 1", "must be a text, not a number"),
        ("checks = 'x'", "must be a list of texts, not a text"),
        ("worker = []", "must be a text, not a list"),
        ("branch = 1979-05-27", "must be a text, not a date or time"),
        ("timeout = 30", 'must be a duration such as "15m", not a number'),
        ('timeout = "0s"', "is wrong: '0s' must be more than 0"),
        ('estimate = "soon"', "is wrong: 'soon' is no duration"),
        ('paths = ["a", {}]', "must be a list of texts, and this is a table"),
    ],
)
def test_wrong_types(line: str, words: str) -> None:
    [message] = messages(HEADER, phase("a", line))
    assert message.startswith(f"8: phase 'a': {line.partition(' ')[0]} {words}")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("priority = 10", "priority: 10 is not between"),
        ('prompt = "\\u0007"', "prompt: control characters"),
        ('checks = ["ok", " "]', "checks: write a command"),
        ('requires = ["GPU"]', "requires: 'GPU' is no capability"),
        ('requires = ["worker+x"]', "requires: 'worker+x' is no capability to ask for"),
        ('requires = ["gpu", "gpu"]', "requires: something is named twice"),
        ('needs = ["b", "b"]', "needs: something is named twice"),
        ('worker = "A b"', "worker: 'A b' is no worker"),
        ('paths = ["/etc"]', "paths: '/etc' is no path glob"),
        ('deliverable = ["a", "../b"]', "deliverable: '../b' is no path glob"),
        ('branch = "a..b"', "branch: 'a..b' is no branch name"),
        ('gate = "a b"', "gate: 'a b' is no gate"),
        ("max_attempts = 0", "max_attempts: 0 is not between"),
    ],
)
def test_wrong_contents(line: str, words: str) -> None:
    text = f'{HEADER}{phase("b")}[[phase]]\nid = "a"\ntitle = "T"\n{line}\n'
    text += "" if "deliverable" in line else 'deliverable = "d"\n'
    [message] = messages(text)
    assert message.startswith(f"12: phase 'a': {words}")


def test_what_is_missing_is_said_with_an_example() -> None:
    text = HEADER + '[[phase]]\nprompt = ""\n[[phase]]\nid = "b"\ntitle = ""\ndeliverable = []\n'
    assert messages(text) == [
        '4: phase number 1: deliverable is missing; write: deliverable = "what exists afterwards"',
        '4: phase number 1: id is missing; write: id = "a-short-name"',
        '4: phase number 1: title is missing; write: title = "Say what is done"',
        "8: phase 'b': title is empty; write: title = \"Say what is done\"",
        "9: phase 'b': deliverable is empty; write: deliverable = \"what exists afterwards\"",
    ]


def test_the_header() -> None:
    assert said(phase("a", 'checks = ["x"]')) == ["1 error missing"]
    assert said('plan = "x"\n', phase("a", 'checks = ["x"]')) == ["1 error type"]
    bad = '[plan]\nname = "a.b"\ntarget = "x y"\nchecks = ["", "a"]\n' + phase("a")
    assert said(bad) == ["2 error invalid", "3 error invalid", "4 error invalid"]
    assert said(f'[plan]\nname = "{"x" * 41}"\nchecks = ["a"]\n', phase("a")) == ["2 error invalid"]


def test_the_id_of_the_task_must_fit_too() -> None:
    assert said('[plan]\nname = "plan"\nchecks = ["x"]\n', phase("x" * 59)) == []
    assert said('[plan]\nname = "plan"\nchecks = ["x"]\n', phase("x" * 60)) == ["5 error invalid"]
    assert said(HEADER, phase("A")) == ["5 error invalid"]


def test_phases_must_be_a_list_of_tables() -> None:
    assert said(HEADER) == ["1 error missing"]
    assert said(HEADER, "[phase]\n") == ["4 error type"]
    assert said("phase = [1]\n", HEADER) == ["1 error type"]


def test_the_toolchain() -> None:
    text = '[toolchain]\npython = "3.11"\nnode = 20\n"a/b" = ">=1"\n' + HEADER + phase("a")
    assert messages(text) == [
        messages(text)[0],
        '3: [toolchain] node must be a text such as ">=3.11", not a number',
        messages(text)[2],
    ]
    assert messages(text)[0].startswith("2: [toolchain] python: '3.11' is no")
    assert messages(text)[2].startswith("4: [toolchain] a/b: ")
    assert said("toolchain = 1\n", HEADER, phase("a")) == ["1 error type"]


def test_every_mistake_of_a_file_is_said_at_once() -> None:
    text = HEADER + phase("a", "x = 1", "priority = ''", 'needs = ["c"]', 'paths = ["//"]')
    assert len(said(text)) == 4


def test_text_from_a_file_is_shown_and_steers_nothing() -> None:
    [problem] = problems(HEADER, phase("a"), 'needs = ["\\u001b[2J"]\n')
    assert "\x1b" not in problem.message
