"""The record of a plan: what it says, when it changes, and what is not believed of it (I8)."""

from __future__ import annotations

from typing import Any

import pytest

from gitbaton.core.errors import DamagedRecord, InvalidInput
from gitbaton.plans.announcement import (
    Announcement,
    announce,
    decode_plan,
    encode_plan,
    find_plans,
    plan_key,
)
from gitbaton.plans.model import Plan
from gitbaton.store.model import Record, Snapshot, Version
from tests.unit.plans.plantext import HEADER, judge, needing, phase

AT = "2026-05-07T03:12:00Z"
PARTS = (phase("a"), needing("b", "a"), '[toolchain]\npython = ">=3.11"\n')


def plan_and_data(*parts: str) -> tuple[Plan, bytes]:
    plan = judge(HEADER, *parts).plan
    assert plan is not None
    return plan, "".join((HEADER, *parts)).encode()


def made(before: Announcement | None = None, *parts: str) -> Announcement:
    plan, data = plan_and_data(*(parts or PARTS))
    return announce(plan, data, before, by="ada", at=AT)


def test_it_says_what_all_need_to_know() -> None:
    first = made()
    assert (first.revision, first.phases, first.toolchain) == (1, ("a", "b"), {"python": ">=3.11"})
    assert decode_plan(first.key, encode_plan(first)) == first


def test_only_another_content_is_another_revision() -> None:
    first = made()
    assert made(first) is first
    assert made(first, phase("a")).revision == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"format": True},
        {"name": "q"},
        {"digest": "x"},
        {"revision": 0},
        {"phases": []},
        {"phases": ["a", "a"]},
        {"phases": ["../a"]},
        {"target": "-rf"},
        {"toolchain": {"python": "no version"}},
        {"toolchain": {"/bin/sh": ""}},
        {"by": "a\nb"},
        {"at": "yesterday"},
        {"more": 1},
    ],
)
def test_what_is_none_is_not_believed(changes: dict[str, Any]) -> None:
    first = made()
    value = {**encode_plan(first), **changes}
    with pytest.raises(DamagedRecord):
        decode_plan(first.key, value)
    records = {first.key: Record(Version("v"), value)}
    assert find_plans(Snapshot(records, records)) == {}


def test_plans_are_found_beside_other_records() -> None:
    first = made()
    records = {
        first.key: Record(Version("v"), encode_plan(first)),
        plan_key("other"): Record(Version("w"), {"format": 1}),
    }
    assert find_plans(Snapshot(records, records)) == {"p": first}


def test_a_name_that_is_none_has_no_key() -> None:
    with pytest.raises(InvalidInput):
        plan_key("../p")
