"""The ledger of one merge: every conflict, and what became of every op."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from msgspec import UNSET

from gitbaton.frames.canonical import copy_value, encode_key
from gitbaton.frames.conflict import Claim, Conflict
from gitbaton.frames.merging.tree import MISSING
from gitbaton.frames.merging.verdict import Dispute
from gitbaton.frames.merging.write import Write
from gitbaton.frames.pointer import Steps, render_pointer

CLAIMS: Final = 20  # ops told one by one in one conflict
VALUE_LIMIT: Final = 1024  # bytes of a value that is kept in a conflict


class Ledger:
    """Collects conflicts and counts ops, each of which is counted once."""

    def __init__(self) -> None:
        self.conflicts: list[Conflict] = []
        self.overruled = 0
        self.superseded = 0

    def record(self, dispute: Dispute, doc: str, steps: Steps, rule: str, found: Any) -> None:
        """Record a conflict. Whoever calls it says with ``overrule`` which ops are lost by it."""
        winners, losers = dispute.winners, dispute.losers
        shown = [(write, True) for write in winners[: max(1, CLAIMS - len(losers))]]
        shown += [(write, False) for write in losers]
        claims = tuple(_claim(write, won=won) for write, won in shown[:CLAIMS])
        value, size = _shown(found)
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


def _claim(write: Write, *, won: bool) -> Claim:
    author = write.author
    value, size = _shown(write.value)
    base = UNSET if write.base is UNSET else _shown(write.base)[0]
    return Claim(
        frame=author.frame,
        worker=author.worker,
        stream=author.stream,
        sequence=write.sequence,
        op=str(write.op.__struct_config__.tag),
        won=won,
        agent=write.op.agent,
        value=value,
        base=base,
        new=write.base is MISSING,
        size=size,
    )


def _shown(value: Any) -> tuple[Any, int]:
    """Return (``value`` where it is short, else UNSET; its bytes where it is left out)."""
    if value is MISSING or value is UNSET:
        return UNSET, 0
    size = len(encode_key(value))
    return (copy_value(value), 0) if size <= VALUE_LIMIT else (UNSET, size)
