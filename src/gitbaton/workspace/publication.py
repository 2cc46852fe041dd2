"""Publishes a branch of this clone together with the end of a claim."""

from __future__ import annotations

from collections.abc import Callable

from gitbaton.core.errors import GateClosed, Refused
from gitbaton.core.ids import Oid
from gitbaton.git.remote import Remote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.model import Branch, Move, Rescue
from gitbaton.tasks.claims import Token
from gitbaton.tasks.ledger import LandingStale
from gitbaton.tasks.model import Task
from gitbaton.workspace.protection import Protection

_TRIES = 5


def require_landing(protection: Protection, branch: str) -> None:
    """Raise GateClosed unless the project lets a result land on ``branch``.

    On the target that is a merge; anywhere else it lands as a branch.
    """
    allowed = protection.config.land.allowed
    way = "merge" if branch == protection.target else "branch"
    if protection.unreadable is not None:
        raise GateClosed(
            f"the land rules cannot be read: {protection.unreadable}", next="baton doctor"
        )
    if way not in allowed:
        raise GateClosed(
            f"this project does not let results land as a {way} (land.allowed: "
            f"{', '.join(allowed) or 'nothing'})",
            next="baton done --review",
        )


def publish_branch(
    finish: Callable[[tuple[Move, ...]], Task],
    repository: CoordinationRepository,
    remote: Remote | None,
    token: Token,
    branch: str,
    commit: Oid,
    *,
    shared: bool,
) -> Task:
    """Finish by ``finish``, with the moves that bring ``branch`` on ``remote`` to ``commit``.

    When somebody moves the branch meanwhile, it is planned again. ``shared``: others build on
    the branch, so it is only ever moved forward (else Refused). Raises LandingStale when the
    branch moves every time, and as ``plan_moves`` and ``finish``.
    """
    for left in reversed(range(_TRIES)):
        moves = plan_moves(repository, remote, token, branch, commit, shared=shared)
        try:
            return finish(moves)
        except LandingStale:
            if not left:
                raise
    raise AssertionError("the last try returns or raises")


def plan_moves(
    repository: CoordinationRepository,
    remote: Remote | None,
    token: Token,
    branch: str,
    commit: Oid,
    *,
    shared: bool,
) -> tuple[Move, ...]:
    """Return the moves that bring ``branch`` on ``remote`` from where it is to ``commit``.

    Without a remote it is where it belongs already. A tip that is not on the way to the commit
    goes to a rescue ref in the same push (I3). Raises Refused, RemoteUnreachable, HostRefused.
    """
    ref = f"refs/heads/{branch}"
    old = commit if remote is None else remote.list([ref]).refs.get(ref)
    if old == commit or remote is None:
        return ()
    move = Move(Branch(branch), old, commit)
    if old is None or _leads_to(repository, remote, ref, old, commit):
        return (move,)
    if shared:
        raise Refused(
            f"branch {branch!r} has moved on the remote; nothing was published",
            code="not_forward",
            next=f"git pull --rebase, then baton done {token.task} --branch {branch}",
        )
    return (move, Move(Rescue(token.task, token.epoch, old), None, old))


def _leads_to(
    repository: CoordinationRepository, remote: Remote, ref: str, old: Oid, new: Oid
) -> bool:
    known = repository.git.run("cat-file", "-e", f"{old}^{{commit}}", check=False)
    if known.status != 0:
        remote.fetch({ref: old}, have=[new])
    asked = repository.git.run("merge-base", "--is-ancestor", old, new, check=False)
    return asked.status == 0
