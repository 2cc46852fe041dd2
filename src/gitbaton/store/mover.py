"""How an engine without git moves branches: it asks somebody who has git."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from gitbaton.core.ids import Oid
from gitbaton.store.model import Move, Target


class BranchMover(Protocol):
    """Moves refs of the local repository by compare-and-swap.

    An engine calls it while it holds its write lock, after it has found every expectation of the
    transaction true: so nobody whose claim was taken away gets here. It must not use the store
    that is calling, and must not fork without exec.
    """

    def move(self, moves: Sequence[Move]) -> Mapping[Target, Oid | None]:
        """Move all targets, or none; return what stood in the way (empty: all are moved).

        The answer has the present value (None: no such ref) of each target that is neither at
        ``old`` nor at ``new``. A target already at ``new`` counts as moved: an engine that was
        killed between this call and its commit leaves exactly that, and its caller tries again.
        Raises HostRefused when a hook or a permission says no; then nothing was moved.
        """
        ...
