"""The table of the state machine: complete, without dead ends, applied and drawn faithfully."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gitbaton.core.errors import WrongStatus
from gitbaton.tasks.machine import FINISHED, OPEN, TABLE, Verb, advance, mermaid
from gitbaton.tasks.model import Status, Task
from tests.unit.tasks.desk import claimed, task

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
BY_PEOPLE = {Verb.CANCEL, Verb.RETRY, Verb.UNBLOCK, Verb.ACCEPT, Verb.REJECT}


def in_status(status: Status) -> Task:
    return claimed() if status is Status.IN_PROGRESS else task(status=status.value)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("verb", Verb)
def test_every_pair_is_in_the_table_or_refused(status: Status, verb: Verb) -> None:
    before = in_status(status)
    if (status, verb) not in TABLE:
        with pytest.raises(WrongStatus) as caught:
            advance(before, verb, now=NOW)
        assert caught.value.next
        assert "t" in caught.value.next
        return
    extra: dict[str, Any] = {"claim": claimed().claim, "epoch": 1} if verb is Verb.CLAIM else {}
    after = advance(before, verb, now=NOW, **extra)
    assert after.status is TABLE[status, verb]
    assert (after.claim is not None) == (after.status is Status.IN_PROGRESS)
    assert after.updated_at == "2026-02-03T04:05:06Z"


def test_every_verb_and_every_status_is_used() -> None:
    assert {verb for _, verb in TABLE} == set(Verb)
    assert {status for status, _ in TABLE} == set(Status)
    assert set(TABLE.values()) == set(Status)
    assert set(Status) == OPEN | FINISHED


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.PENDING}))
def test_people_can_always_move_a_task_on(status: Status) -> None:
    assert any((status, verb) in TABLE for verb in BY_PEOPLE)


def test_only_pending_tasks_can_be_claimed() -> None:
    assert [status for status, verb in TABLE if verb is Verb.CLAIM] == [Status.PENDING]


def test_a_claim_that_ends_is_remembered_and_the_epoch_stays() -> None:
    before = claimed(epoch=4)
    after = advance(before, Verb.EXHAUST, now=NOW, word="reset")
    assert after.ended is not None
    assert before.claim is not None
    assert (after.ended.word, after.ended.epoch, after.epoch) == ("reset", 4, 4)
    assert after.ended.nonce == before.claim.nonce
    assert advance(after, Verb.RETRY, now=NOW).ended is None


def test_the_diagram_shows_exactly_the_table() -> None:
    arrows = {
        (line.split()[0], line.split()[2].rstrip(":"), verb)
        for line in mermaid().splitlines()
        if "-->" in line and "[*]" not in line
        for verb in line.partition(": ")[2].split(", ")
    }
    expected = {
        (before.replace("-", "_"), after.replace("-", "_"), str(verb))
        for (before, verb), after in TABLE.items()
        if before is not after
    }
    assert arrows == expected
