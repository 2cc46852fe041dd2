"""The audit lines, written and read back; always one printable line."""

from __future__ import annotations

import pytest

from gitbaton.store.model import Change, Key, Version
from gitbaton.tasks import subjects
from gitbaton.tasks.model import encode_task
from tests.unit.tasks.desk import AT, claimed, task

HOSTILE = "a\nparent: x\r\x1b[31m\u202e" + "y" * 500


def change(subject: str, key: str = "tasks/t") -> Change:
    return Change(Key(key), Version("c0ffee"), AT, "bob", subject, encode_task(claimed(epoch=3)))


def test_the_lines_read_as_promised() -> None:
    held = claimed("task-007", agent="laptop-C/w1#2", timeout=1800)
    named = task("task-001", title="Fix the parser")
    assert subjects.added([named]) == "add: task-001 Fix the parser"
    assert subjects.added([named, held]) == "add: task-001 Fix the parser and 1 more"
    line = subjects.by_holder("claim", "task-001", "laptop-C/w1#2")
    assert line == "claim: task-001 by laptop-C/w1#2"
    assert subjects.by_holder("fail", "t", "bob", "red\nlog") == "fail: t by bob: red"
    assert subjects.by_person("retry", "t") == "retry: t"
    reset = subjects.reset(held.id, subjects.timed_out(held))
    assert reset == "reset: task-007 timed out after 30min"
    reset = subjects.reset(held.id, subjects.ran_out(held))
    assert reset == "reset: task-007 lease of laptop-C/w1#2 ran out"


@pytest.mark.parametrize(
    ("seconds", "words"), [(90, "90s"), (60, "1min"), (7200, "2h"), (86400, "1d"), (0.5, "0.5s")]
)
def test_durations_are_spelled_in_the_largest_unit_that_fits(seconds: float, words: str) -> None:
    assert subjects.timed_out(claimed(timeout=seconds)) == f"timed out after {words}"


def test_hostile_words_stay_in_one_printable_line() -> None:
    for line in (
        subjects.by_holder("fail", "t", "bob", HOSTILE),
        subjects.by_person("cancel", "t", HOSTILE),
        subjects.reset("t", HOSTILE),
    ):
        assert line.isprintable()
        assert len(line) <= 160


def test_a_change_is_read_back_as_an_event() -> None:
    event = subjects.parse_change(change("claim: t by bob"))
    assert event is not None
    assert (event.task, event.event, event.epoch, event.actor) == ("t", "claim", 3, "bob")
    assert (event.commit, event.at, event.subject) == ("c0ffee", AT, "claim: t by bob")


def test_what_is_no_transition_is_left_out() -> None:
    assert subjects.parse_change(change("renew: t by bob")) is None
    assert subjects.parse_change(change("claim: t by bob", "locks/paths")) is None


def test_a_foreign_line_is_kept_as_unknown() -> None:
    event = subjects.parse_change(change("Merge \x1b[0m: x"))
    assert event is not None
    assert (event.event, event.subject.isprintable()) == ("unknown", True)
