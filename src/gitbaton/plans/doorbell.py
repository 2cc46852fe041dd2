"""The doorbell: a message that says "there is a phase for you", and its four answers (pure).

What it says of the task is believed by nobody: a worker that hears it looks, and claims as ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gitbaton.core.ids import TaskId
from gitbaton.plans.inbox.drafts import make_draft
from gitbaton.plans.inbox.model import Draft
from gitbaton.tasks.text import clean_line

_SENDER: Final = "plan/"
_REASON: Final = 300  # characters


class Reply(StrEnum):
    """What a worker may answer."""

    CLAIMED = "claimed"  # it has the task
    HELD = "held"  # somebody else was faster, or the task is finished: nothing to do
    BUSY = "busy"  # no slot is free at this moment: ask again soon
    REFUSED = "refused"  # not here: the reason says why


@dataclass(frozen=True, slots=True)
class Answer:
    """A worker's answer to a doorbell."""

    reply: Reply
    reason: str = ""

    @property
    def text(self) -> str:
        """The answer as the text of a response. ``parse_answer`` is its inverse."""
        reason = clean_line(self.reason, _REASON)
        return f"{self.reply}: {reason}" if reason else str(self.reply)


@dataclass(frozen=True, slots=True)
class Bell:
    """This phase of ``plan``, after ``epoch`` claims, is offered to this worker.

    ``again``: empty the first time, so that all orchestrators ring the same; then a word of the
    one that rings anew.
    """

    plan: str
    task: TaskId
    epoch: int
    worker: str
    again: str = ""

    @property
    def id(self) -> str:
        """The message's id: who rings a bell that was rung already gets the first answer."""
        first = f"{self.task}/{self.epoch}/{self.worker}"
        return f"{first}/{self.again}" if self.again else first

    def draft(self, box: str) -> Draft:
        """Return the message for the worker whose clone is ``box``: the same for whoever rings.

        Raises InvalidInput.
        """
        return make_draft(
            sender=f"{_SENDER}{self.plan}",
            text=f"claim {self.task}",
            box=box,
            id=self.id,
            task=self.task,
            task_epoch=self.epoch,
        )


def is_doorbell(sender: str, task: str | None) -> bool:
    """Tell whether a message is a doorbell, by its sender and the task that it is about."""
    return task is not None and sender.startswith(_SENDER)


def parse_answer(text: str) -> Answer:
    """Return the answer that ``text`` is; what is none counts as a refusal in these words."""
    word, _, reason = text.partition(":")
    try:
        return Answer(Reply(word.strip()), clean_line(reason, _REASON))
    except ValueError:
        return Answer(Reply.REFUSED, clean_line(text, _REASON) or "it says not why")
