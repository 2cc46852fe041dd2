"""Doorbells repeat themselves exactly, and answers are read back."""

from __future__ import annotations

import pytest

from gitbaton.core.ids import TaskId
from gitbaton.plans.doorbell import Answer, Bell, Reply, is_doorbell, parse_answer
from gitbaton.plans.inbox.drafts import digest, handle

BELL = Bell("shop", TaskId("shop.api"), 1, "gpu-1")


def test_whoever_rings_sends_the_same_message() -> None:
    one, other = (
        BELL.draft("/home/ada/shop"),
        Bell("shop", BELL.task, 1, "gpu-1").draft("/home/ada/shop"),
    )
    assert (handle(one), digest(one)) == (handle(other), digest(other))
    assert (one.id, one.sender, one.task, one.task_epoch) == (
        "shop.api/1/gpu-1",
        "plan/shop",
        "shop.api",
        1,
    )
    assert is_doorbell(one.sender, one.task)


def test_another_epoch_or_worker_is_another_message() -> None:
    bells = [BELL, Bell("shop", BELL.task, 2, "gpu-1"), Bell("shop", BELL.task, 1, "gpu-2")]
    bells.append(Bell("shop", BELL.task, 1, "gpu-1", "anew"))
    assert len({handle(bell.draft("/x")) for bell in bells}) == 4


@pytest.mark.parametrize(
    "answer",
    [
        Answer(Reply.CLAIMED),
        Answer(Reply.HELD),
        Answer(Reply.BUSY, "no slot is free"),
        Answer(Reply.REFUSED, "no disk: 0 bytes left"),
    ],
)
def test_answers_are_read_back(answer: Answer) -> None:
    assert parse_answer(answer.text) == answer


@pytest.mark.parametrize("text", ["", "what?", "CLAIMED"])
def test_what_is_no_answer_is_a_refusal(text: str) -> None:
    assert parse_answer(text).reply is Reply.REFUSED


def test_other_messages_are_no_doorbells() -> None:
    assert not is_doorbell("plan/shop", None)
    assert not is_doorbell("ada", "shop.api")
