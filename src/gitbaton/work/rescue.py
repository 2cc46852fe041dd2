"""Rescue refs: work that could not land is pushed where nobody can lose it (I3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from gitbaton.core.clock import Clock
from gitbaton.core.errors import HostRefused, Refused, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.model import Actor, Committed, Conflict, Move, Rejected, Rescue, Transaction
from gitbaton.store.protocol import Store
from gitbaton.work.outbox import Outbox
from gitbaton.work.salvage import assess, remove, rescue_commit
from gitbaton.work.worktree import ClaimWorktree


@dataclass(frozen=True, slots=True)
class Rescued:
    """What was saved. ``pushed`` False: kept here until the remote can be reached."""

    rescue: Rescue
    pushed: bool


class Rescuer:
    """Saves commits: here first, then on the remote."""

    def __init__(self, repository: CoordinationRepository, store: Store, outbox: Outbox) -> None:
        self._repository = repository
        self._store = store
        self._outbox = outbox

    def save(self, task: str, epoch: int, commit: Oid, *, actor: Actor) -> Rescued:
        """Keep ``commit`` for good; when the remote is away, it is pushed later.

        After this the worktree that it came from may go. Raises nothing that a remote can cause.
        """
        rescue = Rescue(task, epoch, commit)
        self._repository.keep(kept_name(rescue), commit)
        try:
            self.push(rescue, actor=actor)
        except (RemoteUnreachable, HostRefused) as error:
            body = {"task": task, "epoch": epoch, "commit": commit, "actor": actor.name}
            self._outbox.put("rescue", task, {**body, "why": error.message})
            return Rescued(rescue, pushed=False)
        return Rescued(rescue, pushed=True)

    def clear_away(
        self,
        worktree: ClaimWorktree,
        published: Collection[Oid],
        throw_away: Sequence[str],
        *,
        reason: str,
        actor: Actor,
        clock: Clock,
    ) -> Rescued | None:
        """Save what only ``worktree`` holds to a rescue ref, then remove it.

        ``published`` and ``throw_away`` as in ``salvage.assess``. Raises Refused, naming the
        reasons, when it holds what a commit cannot carry: then it is kept.
        """
        try:
            remove(worktree, published, throw_away)  # it looks for itself; mostly nothing is unique
        except Refused:
            pass
        else:
            return None
        record = worktree.record
        holdings = assess(worktree, published, throw_away)
        commit = rescue_commit(worktree, holdings, reason=reason, actor=actor, clock=clock)
        rescued = None
        safe = set(published)
        if commit is not None:
            rescued = self.save(record.task, record.epoch, commit, actor=actor)
            safe.add(commit)
        remove(worktree, safe, throw_away)
        return rescued

    def push(self, rescue: Rescue, *, actor: Actor) -> None:
        """Push a rescue that is kept here; then the remote keeps it.

        Doing it twice is harmless: the name holds the commit's id. Raises RemoteUnreachable,
        HostRefused.
        """
        [outcome] = self._store.commit(
            [
                Transaction(
                    expect={},
                    write={},
                    moves=(Move(rescue, None, rescue.oid),),
                    subject=f"rescue: {rescue.task} epoch {rescue.epoch}",
                    actor=actor,
                )
            ]
        )
        match outcome:
            case Committed() | Conflict():  # a conflict: it is there already
                pass
            case Rejected(reason, ref):
                raise HostRefused(reason, ref=ref)
            case _:
                raise RemoteUnreachable("the rescue ref could not be confirmed")

    def kept(self) -> Mapping[Rescue, Oid]:
        """Return the rescues that are kept in this clone."""
        found: dict[Rescue, Oid] = {}
        for name, oid in self._repository.kept().items():
            rescue = parse_kept(name)
            if rescue is not None:
                found[rescue] = Oid(oid)
        return found

    def forget(self, rescue: Rescue) -> None:
        """Stop keeping a rescue in this clone."""
        self._repository.release(kept_name(rescue))


def kept_name(rescue: Rescue) -> str:
    """Return the name under which a rescue is kept in the coordination repository."""
    return f"rescue/{rescue.task}/{rescue.epoch}-{rescue.oid}"


def parse_kept(name: str) -> Rescue | None:
    """Return the rescue kept under ``name``, None when it is something else."""
    word, _, rest = name.partition("/")
    task, _, tail = rest.partition("/")
    epoch, dash, oid = tail.partition("-")
    if word != "rescue" or not dash or not epoch.isdigit():
        return None
    return Rescue(task, int(epoch), Oid(oid))
