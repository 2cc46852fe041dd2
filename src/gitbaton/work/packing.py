"""Packs the objects of the coordination repository together; drops none.

Records that were read, and what a push under way is about to send, are reachable from no ref there.
So nothing is ever pruned (``git.packs``).
"""

from __future__ import annotations

from dataclasses import dataclass

from gitbaton.git.packs import join
from gitbaton.git.repository import CoordinationRepository


@dataclass(frozen=True, slots=True)
class Counted:
    """The number of loose objects and packs, before and after."""

    before: int
    after: int


def pack_objects(repo: CoordinationRepository) -> Counted | None:
    """Pack what is loose or in many packs; None while another process is at it."""
    before = _count(repo)
    joined = join(repo)
    if joined is None:
        return None
    if not joined:
        # Before 2.32 git knew no geometric repack: this packs what is reachable, no more.
        repo.git.run("repack", "--quiet", "-d", "-l")
    return Counted(before, _count(repo))


def _count(repo: CoordinationRepository) -> int:
    shown = repo.git.run("count-objects", "-v").text
    counts = dict(line.split(": ") for line in shown.split("\n") if ": " in line)
    return int(counts.get("count", 0)) + int(counts.get("packs", 0))
