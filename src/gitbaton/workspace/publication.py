"""Plans how a branch of this clone is published together with the end of a claim."""

from __future__ import annotations

from dataclasses import dataclass

from gitbaton.core.errors import GateClosed
from gitbaton.core.ids import Oid, branch_name
from gitbaton.git.remote import Remote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.model import Branch, Move, Rescue
from gitbaton.tasks.claims import Token
from gitbaton.tasks.ledger import LandingStale
from gitbaton.tasks.model import Task
from gitbaton.tasks.queue import Queue
from gitbaton.workspace.lookup import find_branch
from gitbaton.workspace.protection import Protection

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Publication:
    """The branch, the commit it will have, and the moves that make it so (none: it has it)."""

    branch: str
    commit: Oid
    moves: tuple[Move, ...]


def require_landing(protection: Protection, branch: str) -> None:
    """Raise GateClosed unless the project lets a result be published on ``branch``.

    On the target that is a merge; anywhere else it lands as a branch.
    """
    allowed = protection.config.land.allowed
    way = "merge" if branch == protection.target else "branch"
    if protection.unreadable is not None:
        raise GateClosed(f"the land rules cannot be read: {protection.unreadable}")
    if way not in allowed:
        raise GateClosed(
            f"this project does not let results land as a {way} (land.allowed: "
            f"{', '.join(allowed) or 'nothing'})",
            next="baton done --review",
        )


def publish_branch(
    queue: Queue,
    repository: CoordinationRepository,
    remote: Remote | None,
    token: Token,
    branch: str,
    *,
    text: str | None,
    review: bool,
) -> Task:
    """Publish the clone's ``branch`` and finish the claim in one push; return the task.

    When somebody else moved the branch meanwhile, it is planned again. Raises LandingStale when
    that does not end, and as ``plan_publication`` and ``Queue.done``.
    """
    for left in reversed(range(_TRIES)):
        plan = plan_publication(repository, remote, branch, task=token.task, epoch=token.epoch)
        try:
            return queue.done(
                token,
                branch=plan.branch,
                commit=plan.commit,
                text=text,
                review=review,
                moves=plan.moves,
            )
        except LandingStale:
            if not left:
                raise
    raise AssertionError("the last try returns or raises")


def plan_publication(
    repository: CoordinationRepository,
    remote: Remote | None,
    branch: str,
    *,
    task: str,
    epoch: int,
) -> Publication:
    """Return how the clone's ``branch`` gets to ``remote`` as it is here now.

    Without a remote it is where it belongs already. A remote branch that does not lie on the way
    to the new commit keeps its old tip in a rescue ref, moved in the same push (I3). Raises
    InvalidInput when there is no such branch here, RemoteUnreachable, HostRefused.
    """
    new = find_branch(repository.clone, branch_name(branch))
    if remote is None:
        return Publication(branch, new, ())
    ref = f"refs/heads/{branch}"
    old = remote.list([ref]).refs.get(ref)
    if old == new:
        return Publication(branch, new, ())
    moves = [Move(Branch(branch), old, new)]
    if old is not None and not _leads_to(repository, remote, ref, old, new):
        moves.append(Move(Rescue(task, epoch, old), None, old))
    return Publication(branch, new, tuple(moves))


def _leads_to(
    repository: CoordinationRepository, remote: Remote, ref: str, old: Oid, new: Oid
) -> bool:
    known = repository.git.run("cat-file", "-e", f"{old}^{{commit}}", check=False)
    if known.status != 0:
        remote.fetch({ref: old}, have=[new])
    asked = repository.git.run("merge-base", "--is-ancestor", old, new, check=False)
    return asked.status == 0
