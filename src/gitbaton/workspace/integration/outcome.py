"""What became of a branch and its upstream. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from gitbaton.core.ids import Oid
from gitbaton.workspace.integration.following import Kept
from gitbaton.workspace.integration.rebuilding import Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrated:
    """What became of a branch: from ``before`` to ``after``, by ``way``.

    ``updated``: how many files in the working tree followed. ``kept``: those that did not.
    ``pushed``: the upstream has ``after`` now, from us. ``dropped``: how many commits of
    ``before`` are not in ``after``, because the upstream has taken them back.
    """

    branch: str
    upstream: str
    before: Oid | None
    after: Oid | None
    way: Way
    updated: int = 0
    kept: tuple[Kept, ...] = ()
    pushed: bool = False
    dropped: int = 0


def join(first: Integrated, second: Integrated) -> Integrated:
    """Return two steps as one: a push that lost its race brings in more."""
    return Integrated(
        branch=second.branch,
        upstream=second.upstream,
        before=first.before,
        after=second.after,
        way=second.way if second.way != "nothing" else first.way,
        updated=first.updated + second.updated,
        kept=tuple(dict.fromkeys((*first.kept, *second.kept))),
        dropped=first.dropped + second.dropped,
    )
