"""Branches in a dictionary: a ``BranchMover`` whose every move can be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitbaton.core.errors import BatonError
from gitbaton.core.ids import Oid
from gitbaton.store.model import Move, Target


class Branches:
    """Keeps branches as the protocol says, and the calls it got."""

    def __init__(self) -> None:
        self.tips: dict[Target, Oid] = {}
        self.calls: list[Sequence[Move]] = []
        self.refusal: BatonError | None = None

    def move(self, moves: Sequence[Move]) -> Mapping[Target, Oid | None]:
        self.calls.append(moves)
        if self.refusal is not None:
            raise self.refusal
        present = {move.target: self.tips.get(move.target) for move in moves}
        stale = {
            m.target: present[m.target] for m in moves if present[m.target] not in (m.old, m.new)
        }
        if not stale:
            self.tips.update({move.target: move.new for move in moves})
        return stale
