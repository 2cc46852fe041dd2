"""The worktree of a claim that was just won: recorded at once, then made where its task begins."""

from __future__ import annotations

from gitbaton.core.ids import Oid
from gitbaton.tasks.model import Task
from gitbaton.work.ending import AttemptFailed
from gitbaton.work.post import Post
from gitbaton.work.record import ClaimRecord
from gitbaton.work.worktree import ClaimWorktree, Need, NeedConflict


def reserve_worktree(post: Post) -> ClaimRecord | None:
    """Record whose claim this is, before anything is made (``ClaimWorktree.reserve``)."""
    crew, token = post.crew, post.token
    return ClaimWorktree.reserve(
        crew.repository,
        crew.worktrees,
        task=token.task,
        epoch=token.epoch,
        nonce=token.nonce,
        owner=crew.process,
    )


def prepare_worktree(post: Post) -> ClaimWorktree:
    """Make the worktree at the target's tip, with the results of the finished needs in it.

    Raises AttemptFailed without a target, or where a need does not merge; RemoteUnreachable.
    """
    crew, task = post.crew, post.task
    target = task.target or crew.orders.target
    view = crew.queue.view()
    needs = [view.tasks[need] for need in task.needs if need in view.tasks]
    branches = {n.result.branch for n in needs if n.result and n.result.branch}
    base = crew.upstream.tips({target, *branches}).get(target)
    if base is None:
        raise AttemptFailed(
            f"the target branch {target!r} is not on the remote",
            next=f"git push origin {target}",
        )
    # A commit that is nowhere to be found was merged in other words, its branch deleted.
    merges = [
        Need(need.id, commit)
        for need in needs
        if (commit := _result(need)) is not None and crew.upstream.has(commit)
    ]
    try:
        return ClaimWorktree.create(
            crew.repository,
            crew.worktrees,
            task=task.id,
            epoch=post.token.epoch,
            nonce=post.token.nonce,
            owner=crew.process,
            base=base,
            needs=merges,
            actor=post.actor,
            clock=crew.clock,
        )
    except NeedConflict as error:
        raise AttemptFailed(error.message, next=error.next) from error


def _result(task: Task) -> Oid | None:
    return Oid(task.result.commit) if task.result and task.result.commit else None
