"""Whether a commit or push may go on, for everything that can be known of a task."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest

from gitbaton.workspace.guarding.verdict import (
    Act,
    Evidence,
    Record,
    Stored,
    concerned,
    judge,
)

EVERY = [
    Evidence(record=record, shown=shown, stored=stored, exists=exists)
    for record, shown, stored, exists in itertools.product(
        get_args(Record), (False, True), get_args(Stored), (False, True)
    )
]


@pytest.mark.parametrize("act", get_args(Act))
@pytest.mark.parametrize("evidence", EVERY, ids=str)
def test_only_what_is_known_to_be_mine_passes(act: Act, evidence: Evidence) -> None:
    """I9: what cannot be told is not passed to where others see it."""
    verdict = judge(act, "t", evidence)
    known = evidence.record != "unknown"
    if known:
        expected = "pass" if evidence.record in ("ours", "no task") else "block"
    elif evidence.shown or evidence.stored == "mine":
        expected = "pass"
    elif evidence.stored == "others" or act == "push":
        expected = "block"
    elif evidence.stored == "none" and evidence.exists:
        expected = "block"  # it is a task, and this session has no claim of it
    else:
        expected = "warn"
    assert verdict.ruling == expected
    assert (verdict.ruling == "pass") == (verdict.next is None)


def test_what_concerns_a_task() -> None:
    assert concerned(named="a", branches=["task/a", "task/b", "main"], prefix="task/") == ["a", "b"]
    assert concerned(named=None, branches=["main", "x/task/a"], prefix="task/") == []
    assert concerned(named="../x", branches=["task/A B", "task/"], prefix="task/") == []
    assert concerned(named=None, branches=["anything"], prefix="") == []
