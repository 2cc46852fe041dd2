"""What the checker has to say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Invariant(StrEnum):
    """What a finding breaks: an invariant of ``design.md`` section 7, or what they all rest on."""

    HISTORY = "history"  # records form one line of versions each, as the format says
    I1 = "I1"  # one holder for each task and epoch, epochs rise, the table of statuses is kept
    I2 = "I2"  # a result is on a branch if and only if its claim was current
    I3 = "I3"  # nothing is destroyed that exists nowhere else
    I4 = "I4"  # everyone went on: nothing is left undone
    I6 = "I6"  # no half transactions; refs and board agree
    PATHS = "paths"  # tasks whose paths can meet are never in progress together


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One violation: what is broken, where (a key, a ref, a commit), and how it shows."""

    invariant: Invariant
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.subject}: {self.text}"
