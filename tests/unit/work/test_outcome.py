"""Outcomes in words."""

from __future__ import annotations

import pytest

from gitbaton.work.outcome import AgentOutcome, Ending


@pytest.mark.parametrize(
    ("outcome", "summary"),
    [
        (AgentOutcome(reason=Ending.FINISHED, status=0), "exit status 0"),
        (AgentOutcome(reason=Ending.FINISHED, status=3), "exit status 3"),
        (AgentOutcome(reason=Ending.FINISHED, signal=9), "killed by SIGKILL"),
        (AgentOutcome(reason=Ending.FINISHED, signal=45), "killed by signal 45"),
        (AgentOutcome(reason=Ending.TIMED_OUT, signal=15, seconds=90.2), "timed out after 90s"),
        (AgentOutcome(reason=Ending.STOPPED, status=0, detail="claim lost"), "stopped: claim lost"),
        (
            AgentOutcome(reason=Ending.NOT_STARTED, detail="x: no such program"),
            "could not be started: x: no such program",
        ),
        (AgentOutcome(reason=Ending.LOST), "lost: its guard was killed"),
    ],
)
def test_each_outcome_has_its_words(outcome: AgentOutcome, summary: str) -> None:
    assert outcome.summary == summary
    assert outcome.succeeded == (summary == "exit status 0")
