"""Worktrees of ended claims that are still there, and why they have to stay."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitbaton.core.errors import BatonError
from gitbaton.core.ids import Oid
from gitbaton.git.repository import CoordinationRepository
from gitbaton.work.record import ClaimRecord, Phase, recorded_names
from gitbaton.work.salvage import assess, keep_reasons, removal_reasons
from gitbaton.work.worktree import ClaimWorktree


@dataclass(frozen=True, slots=True)
class Left:
    """A worktree that outlived its claim.

    ``reasons``: what in it no commit can carry; none: `gc` may save its work and remove it.
    ``unique``: all that is only there, commits and changes too; none: it holds nothing unique.
    """

    task: str
    epoch: int
    path: Path
    reasons: tuple[str, ...]
    unique: tuple[str, ...]


def find_left(
    repo: CoordinationRepository,
    *,
    in_use: Callable[[ClaimRecord], bool],
    published: Collection[Oid],
    throw_away: Sequence[str],
) -> list[Left]:
    """Return the worktrees in this clone that are not ``in_use``. Changes nothing.

    ``published`` and ``throw_away`` as in ``salvage.assess``. One that cannot be judged has that
    as its reason.
    """
    found = []
    for name in recorded_names(repo):
        try:
            claim = ClaimWorktree.open(repo, name)
            if claim is None or in_use(claim.record):
                continue
            found.append(_judge(claim, published, throw_away))
        except BatonError as error:
            task, _, epoch = name.rpartition("-e")
            number = int(epoch) if epoch.isdigit() else 0
            why = (f"it cannot be judged: {error.message}",)
            found.append(Left(task, number, repo.path / "claims" / name, why, why))
    return found


def _judge(claim: ClaimWorktree, published: Collection[Oid], throw_away: Sequence[str]) -> Left:
    record = claim.record
    if record.phase is not Phase.WORKING:  # half made or half removed: nothing of value
        return Left(record.task, record.epoch, claim.path, (), ())
    holdings = assess(claim, published, throw_away)
    reasons, unique = keep_reasons(holdings), removal_reasons(holdings)
    return Left(record.task, record.epoch, claim.path, tuple(reasons), tuple(unique))
