"""What keeps a branch from moving: it moved itself, or git's locks, hooks and files say no."""

from __future__ import annotations

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError, GitFailed, Refused
from gitbaton.core.ids import Oid
from gitbaton.git.indexlock import describe_age, find_suspect
from gitbaton.git.sharedindex import lock_path
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.safecommit.move import Move


class BranchMoved(BatonError):
    """The ref is not where the move began, or HEAD is not on it, or (careful) the index is not
    as it was; nothing was changed.

    ``ref``: where HEAD is now (None: detached). ``tip``: where the move's ref is now.
    """

    code = "branch_moved"

    def __init__(self, move: Move, *, ref: str | None, tip: Oid | None) -> None:
        super().__init__(f"{move.ref} moved while the commit was made")
        self.ref, self.tip = ref, tip


class IndexBusy(Refused):
    """Git's own lock of the index was held for longer than one was ready to wait."""

    def __init__(self, tree: WorkingTree, clock: Clock, waited: float) -> None:
        path = lock_path(tree)
        suspect = find_suspect(tree)
        if suspect is None:
            who = "No git can be seen at work here: one that was killed may have left it"
            next = f"if no git is running here: rm {path}"
        else:
            who = (
                f"Process {suspect.pid} ({suspect.command}) seems to hold it; an editor for a "
                "commit message keeps it, too"
            )
            next = f"finish that command, or wait for it: --wait 5m; never rm {path} before"
        super().__init__(
            f"git's index is locked ({path}{describe_age(tree, clock)}); waited {waited:.0f} s. "
            f"{who}",
            code="index_locked",
            next=next,
        )


class RefRefused(Refused):
    """Git would not move the ref: a hook said no, a lock of the ref was never let go, or it could
    not write (no space, no right, a damaged ref)."""

    def __init__(self, ref: str, said: str, *, locked: bool) -> None:
        hooked = "aborted by" in said and "hook" in said  # refs.c, ref_transaction_prepare
        if locked:
            next = "if no git is running here, remove that lock file"
        elif hooked:
            next = "see the reference-transaction hook (githooks(5))"
        else:
            next = (
                "df -h . (a full disk?), ls -ld .git/refs (whose?), git fsck; then the same again"
            )
        super().__init__(
            f"git does not move {ref}: {said}",
            code="ref_locked" if locked else "ref_refused" if hooked else "ref_failed",
            next=next,
        )
        self.locked = locked

    @staticmethod
    def by(error: GitFailed, ref: str) -> RefRefused:
        """Return what git's refusal to prepare means."""
        said = " ".join(error.stderr.replace("fatal: prepare: ", "").split())
        return RefRefused(ref, said, locked="File exists" in error.stderr)
