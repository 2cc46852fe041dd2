"""What the verdicts about a host mean, and what is advised."""

from __future__ import annotations

import re

import pytest

from gitbaton.cli.doctor.finding import Level
from gitbaton.cli.doctor.host import advise_namespace, judge_host, refuses_everything
from gitbaton.git.probe import ABILITIES, Ability, Names, Verdict
from gitbaton.store.gitengine.layout import Layout

NAMES = Names("refs/baton/", "refs/heads/baton", "task/")


def verdicts(**changed: bool | None) -> dict[Ability, Verdict]:
    """Return verdicts of a host that allows everything but what is said."""
    assert set(changed) <= set(ABILITIES)
    return {a: Verdict(changed.get(a, True), "its words" * (a in changed)) for a in ABILITIES}


def levels(found: dict[Ability, Verdict]) -> dict[Level, str]:
    """Return the worst texts by level."""
    return {f.level: f.text for f in judge_host(NAMES, found, ()) if f.level is not Level.OK}


def test_a_host_that_allows_everything() -> None:
    assert levels(verdicts()) == {}


@pytest.mark.parametrize(
    ("ability", "words"),
    [
        ("atomic", "two steps"),
        ("atomic", "never parked"),
        ("replace", "heartbeat"),
        ("delete", "stay"),
    ],
)
def test_what_is_weaker_is_a_warning_that_says_so(ability: str, words: str) -> None:
    found = levels(verdicts(**{ability: False}))
    assert set(found) == {Level.WARNING}
    assert words in found[Level.WARNING]
    assert "its words" in found[Level.WARNING]


@pytest.mark.parametrize(
    "ability", ["create", "list", "cas", "update", "guarded_delete", "whole", "branch", "board"]
)
def test_what_cannot_be_done_without_is_a_problem(ability: str) -> None:
    found = levels(verdicts(**{ability: False}))
    assert "its words" in found[Level.PROBLEM] or ability == "list"


@pytest.mark.parametrize("ability", ABILITIES)
def test_what_is_not_known_is_no_problem(ability: str) -> None:
    assert Level.PROBLEM not in levels(verdicts(**{ability: None}))


def test_what_was_left_is_named() -> None:
    told = [f.text for f in judge_host(NAMES, verdicts(), ["refs/baton/probe/x"])]
    assert any("refs/baton/probe/x" in text for text in told)


@pytest.mark.parametrize(
    ("prefix", "changed"),
    [
        ("task/", {"create": False}),
        ("claude/task/", {"create": False, "board": False}),
        ("task/", {"create": False, "board": False, "branch": False}),
    ],
)
def test_the_advice_is_a_layout_that_does_not_collide(
    prefix: str, changed: dict[str, bool]
) -> None:
    names = Names(NAMES.namespace, NAMES.board, prefix)
    advice = advise_namespace(names, verdicts(**changed)).replace("PREFIX", "allowed")
    namespace = re.search(r'namespace = "([^"]+)"', advice)
    board = re.search(r'board = "([^"]+)"', advice)
    assert namespace
    layout = Layout(namespace[1], f"refs/heads/{board[1] if board else 'baton'}")
    if "board" in changed and changed.get("branch", True):
        assert layout.namespace.startswith("refs/heads/claude/")
        assert layout.board.startswith("refs/heads/claude/")


def test_everything_refused_is_told_from_one_thing_refused() -> None:
    assert refuses_everything(verdicts(create=False, branch=False, board=False))
    assert not refuses_everything(verdicts(create=False, board=False))
    assert not refuses_everything(verdicts(create=None, branch=False, board=False))
