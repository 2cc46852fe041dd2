"""After a claim: what only its worktree holds is saved, then the worktree goes (I3)."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from gitbaton.core.errors import BatonError
from gitbaton.core.ids import Oid
from gitbaton.store.model import Actor
from gitbaton.work.crew import Crew
from gitbaton.work.events import Kind
from gitbaton.work.salvage import KEPT
from gitbaton.work.worktree import ClaimWorktree


class Say(Protocol):
    """Tells people of one claim."""

    def __call__(self, kind: Kind, text: str, *, commit: str | None = None) -> None:
        """Tell it."""
        ...


def clear_away(
    crew: Crew,
    worktree: ClaimWorktree,
    published: Collection[Oid],
    *,
    reason: str,
    actor: Actor,
    say: Say,
) -> bool:
    """Save what is unique in the worktree, then remove it; keep it where a commit cannot hold all.

    Returns whether that is settled; else something failed, and it is worth another try.

    ``published``: commits that are safe elsewhere. ``reason``: why they did not land, in a line.
    Raises nothing that a worktree, a disk or a remote can cause: it is told.
    """
    try:
        Path(crew.prompts, f"{worktree.record.name}.md").unlink(missing_ok=True)
        rescued = crew.rescuer.clear_away(
            worktree,
            published,
            crew.orders.throw_away,
            reason=reason,
            actor=actor,
            clock=crew.clock,
        )
    except BatonError as error:
        say("kept", error.message)
        return error.code == KEPT
    except OSError as error:
        say("kept", f"{worktree.path} is kept: {error.strerror}")
        return False
    if rescued is not None:
        where = "pushed" if rescued.pushed else "kept here until the remote is back"
        say("rescued", f"{where}: {reason}", commit=rescued.rescue.oid)
    return True
