"""Brings what others pushed into a shared working tree, and pushes what is committed here.

The network is used without the lock of the working tree, and everything else under it
(docs/design/shared-sync.md). Never a stash, never a reset: a dirty file stays byte for byte.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.core.errors import HostRefused, Refused
from gitbaton.core.ids import Oid
from gitbaton.git.footing import stand_at
from gitbaton.git.head import read_branch, read_tip
from gitbaton.git.sharedindex import Staged, list_staged, read_staged
from gitbaton.git.sparsity import find_left_out
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.behind import read_behind, write_behind
from gitbaton.workspace.integration.barring import require_safe
from gitbaton.workspace.integration.changes import read_changes
from gitbaton.workspace.integration.following import (
    Change,
    Following,
    find_bases,
    find_blocked,
    find_left,
    follow,
)
from gitbaton.workspace.integration.outcome import Integrated, join
from gitbaton.workspace.integration.rebuilding import Conflict, How, Rebuilder, Rebuilt
from gitbaton.workspace.integration.upstream import (
    Upstream,
    fetch,
    find_dropped,
    find_upstream,
    push,
)
from gitbaton.workspace.safecommit.guards import require_quiet
from gitbaton.workspace.safecommit.hindrance import BranchMoved, IndexBusy, RefRefused
from gitbaton.workspace.safecommit.lock import TreeLock
from gitbaton.workspace.safecommit.move import Move
from gitbaton.workspace.safecommit.moving import PATIENCE, Mover
from gitbaton.workspace.safecommit.naming import listed
from gitbaton.workspace.safecommit.storage import writing

_MOVES: Final = 10  # times that a plain git may move the branch under us
_PUSHES: Final = 10  # times that others may be first
_PAUSE: Final = 0.2  # seconds at most before the second push; doubled with each


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """Keeps the working tree ``tree`` and its upstream together.

    ``fallback``: the remote for a branch without an upstream, when it is pushed. ``timeout``:
    seconds to wait for the lock. ``place``: where a worktree for conflicts would be made.
    ``durable``, ``patience``: see Mover. ``sparse``: the tree is a sparse checkout.
    """

    tree: WorkingTree
    lock: TreeLock
    clock: Clock
    rng: random.Random
    how: How
    sign: bool
    fallback: str | None
    timeout: float
    place: str
    durable: bool = False
    patience: float = PATIENCE
    sparse: bool = False
    waiting: Callable[[str], None] | None = None

    def run(self, *, publish: bool) -> Integrated | None:
        """Bring in what the upstream has; with ``publish`` push what is committed here as well.

        None where HEAD is detached, or the branch has no upstream (and none to push to). Raises
        Refused (a conflict, too), TreeBusy, RemoteUnreachable, HostRefused: with the branch where
        it was, or brought up to date and not pushed.
        """
        branch = read_branch(self.tree)
        if branch is None:
            return None
        upstream = find_upstream(self.tree, branch, fallback=self.fallback if publish else None)
        if upstream is None:
            return None
        total: Integrated | None = None
        for number in range(_PUSHES):
            theirs = fetch(self.tree, upstream)
            done = self._integrate(branch, upstream, theirs)
            total = done if total is None else join(total, done)
            if not publish or total.after in (None, theirs):
                return total
            assert total.after is not None
            if push(self.tree, upstream, total.after):
                return replace(total, pushed=True)
            self.clock.sleep(self.rng.uniform(0, _PAUSE * 2 ** min(number, 6)))
        raise HostRefused(
            "others were faster every time", ref=upstream.ref, next="baton sync --push"
        )

    def _integrate(self, branch: str, upstream: Upstream, theirs: Oid | None) -> Integrated:
        with (
            self.lock.hold(timeout=self.timeout, waiting=self.waiting) as hold,
            writing(self.tree.state),
        ):
            mover = Mover(self.tree, self.clock, hold, durable=self.durable, patience=self.patience)
            mover.replay()
            for left in reversed(range(_MOVES)):
                if read_branch(self.tree) != branch:
                    raise Refused(
                        f"somebody has checked out another branch than {branch}",
                        code="branch_moved",
                        next="git status, then baton sync",
                    )
                ours = read_tip(self.tree, branch)
                try:
                    return self._advance(mover, branch, upstream, ours, theirs)
                except BranchMoved:  # a plain git commit or add came first: again, with it
                    if not left:
                        raise
        raise AssertionError("the last time returns or raises")

    def _advance(
        self,
        mover: Mover,
        branch: str,
        upstream: Upstream,
        ours: Oid | None,
        theirs: Oid | None,
    ) -> Integrated:
        rebuilt = None if theirs is None else self._rebuild(branch, upstream, ours, theirs)
        if rebuilt is None or rebuilt.commit == ours:
            return Integrated(
                branch=branch, upstream=upstream.name, before=ours, after=ours, way="nothing"
            )
        require_quiet(self.tree)
        changes = read_changes(self.tree, ours, rebuilt.commit)
        if theirs is not None:
            require_safe(self.tree, changes, theirs)
        following = self._following(changes)
        # Noted before: a file that stays must never be committed as if it were current. What has
        # followed is taken out again afterwards; a kill in between leaves a note too many.
        state = self.tree.state
        known = read_behind(state)
        write_behind(state, {**find_bases(following), **known})
        move = Move(
            ref=branch,
            old=ours,
            new=rebuilt.commit,
            log=f"baton sync: {rebuilt.way} with {upstream.name}",
            index=following.index,
            files=following.files,
            careful=True,
        )
        try:
            placed = mover.advance(move)
        except (BranchMoved, IndexBusy, RefRefused):
            write_behind(state, known)  # nothing was changed
            raise
        self._make_room(following.submodules)
        kept = (*following.kept, *find_left(placed, following))
        left = known.keys() | {item.path for item in kept}
        left -= {one.path for one in placed if one.fate == "placed"}
        begun = {**find_bases(following), **known}
        write_behind(state, {path: begun[path] for path in left})
        return Integrated(
            branch=branch,
            upstream=upstream.name,
            before=ours,
            after=rebuilt.commit,
            way=rebuilt.way,
            updated=sum(one.fate == "placed" for one in placed),
            kept=kept,
            dropped=rebuilt.dropped,
        )

    def _rebuild(self, branch: str, upstream: Upstream, ours: Oid | None, theirs: Oid) -> Rebuilt:
        rebuilder = Rebuilder(self.tree, self.sign)
        title = f"Merge {upstream.name}"
        try:
            dropped = None if ours is None else find_dropped(self.tree, upstream, ours, theirs)
            return rebuilder.bring(ours, theirs, how=self.how, title=title, dropped=dropped)
        except Conflict as conflict:
            short = branch.removeprefix("refs/heads/")
            raise Refused(
                f"{conflict.commit[:10]} and {upstream.name} changed the same lines: "
                f"{listed(conflict.paths)}; the branch stays as it is",
                code="conflict",
                next=f"git worktree add --detach {self.place} {short} && cd {self.place} && "
                f"git merge {upstream.name}; resolve and commit; git push {upstream.remote} "
                f"HEAD:{upstream.ref}; then here: git worktree remove {self.place}; baton sync",
            ) from conflict

    def _following(self, changes: Sequence[Change]) -> Following:
        staged = read_staged(self.tree, [change.path for change in changes])
        # Only what is new can need a place where the index holds something else.
        is_new = any(change.after is not None and change.path not in staged for change in changes)
        listed = list_staged(self.tree) if is_new else []
        blocked = find_blocked(changes, staged, listed)
        return follow(changes, staged, blocked, self._find_absent(changes, staged))

    def _find_absent(
        self, changes: Sequence[Change], staged: Mapping[bytes, Staged]
    ) -> frozenset[bytes]:
        """Return the paths that are left out of the working tree: not there, and not to come."""
        out = {path for path, found in staged.items() if found.skipped}
        if self.sparse:
            new = {
                change.path: change.after
                for change in changes
                if change.after is not None and change.path not in staged
            }
            out |= find_left_out(self.tree, new, directory=self.tree.state / "commit")
        top = os.fsencode(self.tree.top)
        return frozenset(path for path in out if not os.path.lexists(os.path.join(top, path)))

    def _make_room(self, submodules: Sequence[bytes]) -> None:
        """Make the directories of new submodules, as git does: without them they look deleted."""
        for path in submodules:
            with (
                contextlib.suppress(OSError),  # in the way of somebody's file: it stays
                stand_at(self.tree.top, path, make=True) as place,
            ):
                os.mkdir(place.name, dir_fd=place.directory)
