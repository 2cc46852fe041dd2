"""What the checker of worlds has to say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Promise(StrEnum):
    """What a finding breaks."""

    LINE = "line"  # frames are consecutive, each made from the one before
    ONCE = "once"  # every delta, and every op, is in the history of the world exactly once (I7)
    AGENTS = "agents"  # nobody runs twice in a frame, or is left out of two in a row
    LEDGER = "ledger"  # what a stream wrote is what was merged, and nothing of it is lost
    MERGE = "merge"  # merged anew, by other code, every frame comes out the same
    CONFLICTS = "conflicts"  # exactly the writes that disagree are in the record
    QUARANTINE = "quarantine"  # exactly the lines that are no ops are in the record


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One violation: what is broken, where (a frame, a delta, a document), and how it shows."""

    promise: Promise
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.subject}: {self.text}"
