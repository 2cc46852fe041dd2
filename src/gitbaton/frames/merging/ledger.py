"""The ledger of one merge: every conflict, and what became of every op."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from msgspec import UNSET

from gitbaton.frames.canonical import copy_value, encode_key
from gitbaton.frames.conflict import Claim, Conflict
from gitbaton.frames.merging.tree import MISSING
from gitbaton.frames.merging.verdict import Dispute
from gitbaton.frames.merging.write import Write
from gitbaton.frames.pointer import Steps, render_pointer

CLAIMS: Final = 20  # ops told one by one in one conflict
VALUE_LIMIT: Final = 1024  # bytes of a value that is kept in a conflict
ROOM: Final = (
    8 * 1024 * 1024
)  # bytes of values in all conflicts of a frame: a host takes the report

Mark: TypeAlias = tuple[int, int, int, int]


class Ledger:
    """Collects conflicts and counts ops, each of which is counted once."""

    def __init__(self) -> None:
        self.conflicts: list[Conflict] = []
        self.overruled = 0
        self.superseded = 0
        self._room = ROOM
        self._sizes: dict[Write, int] = {}

    def mark(self) -> Mark:
        """Return where the ledger stands now."""
        return len(self.conflicts), self.overruled, self.superseded, self._room

    def go_back(self, mark: Mark) -> None:
        """Forget everything since ``mark``: a document is merged anew."""
        count, self.overruled, self.superseded, self._room = mark
        del self.conflicts[count:]

    def record(self, dispute: Dispute, doc: str, steps: Steps, rule: str, found: Any) -> None:
        """Record a conflict. Whoever calls it says with ``overrule`` which ops are lost by it."""
        winners, losers = dispute.winners, dispute.losers
        shown = [(write, True) for write in winners[: max(1, CLAIMS - len(losers))]]
        shown += [(write, False) for write in losers]
        claims = tuple(self._claim(write, won=won) for write, won in shown[:CLAIMS])
        value, size = self._shown(found, _size(found))
        more = len(winners) + len(losers) - len(claims)
        place = render_pointer(steps)
        self.conflicts.append(Conflict(dispute.kind, doc, place, rule, claims, value, size, more))

    def overrule(self, writes: Iterable[Write]) -> None:
        """Count writes that had no effect against their streams' will."""
        for write in writes:
            self._fail(write, overruled=True)

    def supersede(self, writes: Iterable[Write]) -> None:
        """Count writes that their own streams have replaced."""
        for write in writes:
            self._fail(write, overruled=False)

    def _fail(self, write: Write, *, overruled: bool) -> None:
        share = write.share
        if share is not None:
            share.left -= 1
            share.overruled |= overruled
            if share.left:
                return
            overruled = share.overruled
        if overruled:
            self.overruled += 1
        else:
            self.superseded += 1

    def _claim(self, write: Write, *, won: bool) -> Claim:
        if write not in self._sizes:  # a great value may be in a conflict with many
            self._sizes[write] = _size(write.value)
        value, size = self._shown(write.value, self._sizes[write])
        return Claim(
            frame=write.author.frame,
            worker=write.author.worker,
            stream=write.author.stream,
            sequence=write.sequence,
            op=str(write.op.__struct_config__.tag),
            won=won,
            agent=write.op.agent,
            value=value,
            base=self._shown(write.base, _size(write.base))[0],
            new=write.base is MISSING,
            size=size,
        )

    def _shown(self, value: Any, size: int) -> tuple[Any, int]:
        """Return (``value`` where there is room for it, else UNSET; its bytes where left out)."""
        if not size:
            return UNSET, 0
        if size > min(VALUE_LIMIT, self._room):
            return UNSET, size
        self._room -= size
        return copy_value(value), 0


def _size(value: Any) -> int:
    return 0 if value is MISSING or value is UNSET else len(encode_key(value))
