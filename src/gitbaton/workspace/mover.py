"""Publishes branches into the user's own clone, for the engine that has no remote.

It is a push from the coordination repository to the clone, so git's own rules apply: one atomic
transaction, every ref under its old value, objects travel with it. A branch that is checked out is
moved only when its working tree is clean, which then follows (``receive.denyCurrentBranch``,
git-config(1)).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitbaton.core.errors import HostRefused
from gitbaton.core.ids import Oid
from gitbaton.git.answers import parse_push, remote_lines
from gitbaton.git.remote import PushState, RefUpdate
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.model import Branch, Move, Rescue, Target

_RECEIVE = "git -c receive.denyCurrentBranch=updateInstead receive-pack"


class CloneMover:
    """Moves branches of the clone; keeps rescues in the coordination repository."""

    def __init__(self, repository: CoordinationRepository) -> None:
        self._repository = repository

    def move(self, moves: Sequence[Move]) -> Mapping[Target, Oid | None]:
        """Move all or none (see ``store.mover.BranchMover``)."""
        present = {move.target: self._present(move.target) for move in moves}
        blocking = {
            move.target: present[move.target]
            for move in moves
            if present[move.target] not in (move.old, move.new)
        }
        if blocking:
            return blocking
        left = [move for move in moves if present[move.target] != move.new]
        for move in left:
            if isinstance(move.target, Rescue):
                self._repository.keep(_kept_name(move.target), move.new)
        branches = [
            RefUpdate(f"refs/heads/{move.target.name}", move.old, move.new)
            for move in left
            if isinstance(move.target, Branch)
        ]
        return self._push(branches) if branches else {}

    def _push(self, updates: Sequence[RefUpdate]) -> Mapping[Target, Oid | None]:
        done = self._repository.git.run(
            "push",
            "--porcelain",
            "--no-verify",
            "--atomic",
            f"--receive-pack={_RECEIVE}",
            *(f"--force-with-lease={u.ref}:{u.old or ''}" for u in updates),
            "--",
            str(self._repository.clone.common),
            *(f"{u.new}:{u.ref}" for u in updates),
            check=False,
        )
        fates = parse_push(done.text, updates, said=remote_lines(done.stderr))
        refused = [(ref, f) for ref, f in fates.items() if f.state is PushState.REFUSED]
        if refused:
            ref, fate = refused[0]
            raise HostRefused(fate.reason, ref=ref, next="git status")
        if all(fate.state is PushState.DONE for fate in fates.values()):
            return {}
        targets = [Branch(u.ref.removeprefix("refs/heads/")) for u in updates]
        blocking: dict[Target, Oid | None] = {
            target: now
            for target, update in zip(targets, updates, strict=True)
            if (now := self._present(target)) not in (update.old, update.new)
        }
        if not blocking:
            raise HostRefused(done.stderr.strip() or "the push into the clone failed")
        return blocking

    def _present(self, target: Target) -> Oid | None:
        if isinstance(target, Rescue):
            kept = self._repository.kept().get(_kept_name(target))
            return None if kept is None else Oid(kept)
        shown = self._repository.clone.git.run(
            "rev-parse", "--verify", "--quiet", f"refs/heads/{target.name}", check=False
        )
        return Oid(shown.text) if shown.status == 0 else None


def _kept_name(rescue: Rescue) -> str:
    return f"rescue/{rescue.task}/{rescue.epoch}-{rescue.oid}"
