"""What an agent is asked, and what is answered in its name."""

from __future__ import annotations

import pytest

from gitbaton.serving.errands import answer_text
from gitbaton.serving.question import build_question
from gitbaton.work.outcome import AgentOutcome, Ending


@pytest.mark.parametrize("text", ["--help", "nul \0 byte", "lone \ud800 surrogate", "x" * 70_000])
def test_a_question_is_always_an_argument(text: str) -> None:
    """I8: whatever a message says, it is no option and no end of a string."""
    question = build_question("eve\nrm -rf /", text)
    assert question.startswith("Message from eve rm -rf /:\n\n")
    assert "\0" not in question
    assert question.encode()


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (AgentOutcome(reason=Ending.FINISHED, status=0, tail="\nall is well\n"), "all is well"),
        (AgentOutcome(reason=Ending.FINISHED, status=0), "exit status 0"),
        (AgentOutcome(reason=Ending.FINISHED, status=3, tail="no\n"), "exit status 3\nno"),
        (AgentOutcome(reason=Ending.TIMED_OUT, seconds=9.0), "timed out after 9s"),
    ],
)
def test_the_last_output_or_how_it_ended(outcome: AgentOutcome, text: str) -> None:
    assert answer_text(outcome) == text
