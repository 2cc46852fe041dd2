"""Records others wrote, drafts and edits: what is wrong is named by its field (I8)."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from gitbaton.core.errors import DamagedRecord, InvalidInput
from gitbaton.tasks.circles import find_cycle
from gitbaton.tasks.drafts import Draft, check_needs, compose, revise
from gitbaton.tasks.model import encode_task
from gitbaton.tasks.settings import QueueSettings
from gitbaton.tasks.validation import decode_task
from tests.unit.tasks.desk import AT, NONCE, OID, claimed, task

CLAIM = dict(encode_task(claimed())["claim"])
REMARK = {"at": AT, "by": "ann", "kind": "answer", "text": "yes"}


def full() -> dict[str, Any]:
    """Return the value of a task that has everything."""
    return dict(
        encode_task(
            claimed(
                body="one\n\ttwo",
                needs=("n",),
                requires=("gpu",),
                paths=("src/**",),
                checks=("make test",),
                gate="security",
                approval={"by": "ann", "at": AT, "digest": "0" * 64, "commit": OID},
                gate_round=2,
                labels=("x",),
                target="main",
                branch="task/t",
                timeout=3600,
                ended={"word": "reset", "epoch": 1, "nonce": NONCE},
                landing={"branch": "main", "old": None, "commit": OID},
                result={"branch": "task/t", "commit": OID, "text": "ok"},
                remarks=(REMARK,),
                external_ref="JIRA-1",
            )
        )
    )


def test_decoding_is_the_inverse_of_encoding() -> None:
    decoded = decode_task("tasks/t", full())
    assert encode_task(decoded) == full()


def test_a_record_from_before_rounds_of_approval_were_counted_is_in_the_first() -> None:
    old = {name: part for name, part in full().items() if name != "gate_round"}
    assert decode_task("tasks/t", old).gate_round == 0


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("format", None),
        ("format", 2),
        ("format", True),
        ("id", "../x"),
        ("id", "other"),
        ("title", ""),
        ("title", "a\nb"),
        ("title", "a\x1b[31m"),
        ("title", "a\u202eb"),
        ("title", "x" * 201),
        ("title", 7),
        ("body", "x" * 65537),
        ("body", "a\0b"),
        ("body", "\ud800"),
        ("status", "paused"),
        ("status", "pending"),
        ("gate_round", -1),
        ("gate_round", None),
        ("priority", -1),
        ("priority", 10),
        ("priority", 1.5),
        ("priority", True),
        ("needs", ["t"]),
        ("needs", ["a", "a"]),
        ("needs", ["A"]),
        ("needs", "abc"),
        ("needs", [f"n{i}" for i in range(201)]),
        ("requires", ["GPU card"]),
        ("paths", ["/abs"]),
        ("paths", ["a/../b"]),
        ("checks", [""]),
        ("checks", ["a\0b"]),
        ("gate", "no spaces"),
        ("labels", ["a\tb"]),
        ("target", "a..b"),
        ("branch", "-x"),
        ("attempts", -1),
        ("max_attempts", 0),
        ("timeout", 0),
        ("timeout", math.nan),
        ("timeout", math.inf),
        ("delay", -1),
        ("epoch", 2),
        ("epoch", -1),
        ("created_at", "yesterday"),
        ("updated_at", "2026-01-01|00:00:00+00:00"),
        ("not_before", "2026-01-01T00:00:00"),
        ("claim", None),
        ("claim", {**CLAIM, "epoch": 2}),
        ("claim", {**CLAIM, "agent": "a<b>"}),
        ("claim", {**CLAIM, "nonce": "zz"}),
        ("claim", {**CLAIM, "lease": math.inf}),
        ("claim", {**CLAIM, "lease": 0}),
        ("claim", {**CLAIM, "extra": 1}),
        ("approval", {"by": "ann", "at": AT, "digest": "x"}),
        ("approval", {"by": "ann"}),
        ("landing", {"branch": "main", "old": "x", "commit": OID}),
        ("result", {"commit": "HEAD"}),
        ("result", {"branch": "a b"}),
        ("ended", {"word": "x", "epoch": 5, "nonce": NONCE}),
        ("remarks", [{**REMARK, "by": "a\nb"}]),
        ("remarks", [REMARK] * 51),
        ("reason", "\x07"),
        ("plan", "No Plan"),
        ("external_ref", "a\nb"),
        ("surprise", 1),
    ],
)
def test_a_record_somebody_broke_is_damaged_and_the_field_is_named(field: str, bad: object) -> None:
    value = {**full(), field: bad}
    with pytest.raises(DamagedRecord) as caught:
        decode_task("tasks/t", value)
    named = "claim" if (field, bad) == ("status", "pending") else field
    named = "claim.epoch" if field == "epoch" and bad == 2 else named
    assert named in caught.value.message
    assert "\n" not in caught.value.message


def test_a_missing_field_is_named() -> None:
    value = full()
    del value["title"]
    with pytest.raises(DamagedRecord, match="title"):
        decode_task("tasks/t", value)


def test_a_task_that_is_not_in_progress_has_no_claim() -> None:
    value = {**full(), "status": "done"}
    with pytest.raises(DamagedRecord, match="claim"):
        decode_task("tasks/t", value)


NOW = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = QueueSettings("p", max_attempts=5)


def composed(**fields: Any) -> Any:
    draft = Draft(**{"title": "x", **fields})
    return compose(draft, task().id, settings=SETTINGS, by="ann", now=NOW)


def test_a_draft_becomes_a_pending_task() -> None:
    made = composed(needs=["a"], checks=("make",), timeout=60)
    assert (made.status, made.epoch, made.max_attempts) == ("pending", 0, 5)
    assert (made.needs, made.checks, made.timeout) == (("a",), ("make",), 60.0)
    assert (made.created_at, made.created_by) == ("2026-01-01T00:00:00Z", "ann")
    assert decode_task("tasks/t", encode_task(made)) == made


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("title", " "),
        ("priority", "high"),
        ("needs", "abc"),
        ("needs", [1]),
        ("timeout", "soon"),
        ("paths", ["\\"]),
        ("max_attempts", 0),
    ],
)
def test_a_draft_with_a_wrong_field_is_refused(field: str, bad: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        composed(**{field: bad})
    assert caught.value.field == field


def test_an_edit_is_checked_like_a_draft() -> None:
    assert revise(task(), {"priority": 0, "labels": ["a"]}) == {"priority": 0, "labels": ("a",)}
    for field, bad in {"priority": 99, "status": "done", "epoch": 5, "nope": 1}.items():
        with pytest.raises(InvalidInput) as caught:
            revise(task(), {field: bad})
        assert caught.value.field == field


def test_a_circle_is_shown_as_its_path() -> None:
    needs = {"a": ["b"], "b": ["c", "x"], "c": ["d"], "d": ["b"]}
    assert find_cycle(needs, ["a"]) == ["b", "c", "d", "b"]
    assert find_cycle({"a": ["b", "c"], "b": ["d"], "c": ["d"]}, ["a"]) is None
    assert find_cycle({str(i): [str(i + 1)] for i in range(50_000)}, ["0"]) is None


def test_needs_must_exist_and_not_go_in_a_circle() -> None:
    old = {t.id: t for t in (task("a", needs=("b",)), task("b"))}
    with pytest.raises(InvalidInput, match="'x', which does not exist"):
        check_needs(old, {task("c").id: task("c", needs=("x",))})
    check_needs(old, {task("c").id: task("c", needs=("x",))}, damaged=["x"])
    with pytest.raises(InvalidInput, match="b -> a -> b"):
        check_needs(old, {task("b").id: task("b", needs=("a",))})
