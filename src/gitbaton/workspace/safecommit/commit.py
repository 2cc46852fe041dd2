"""The safe commit: exactly the named files, from a working tree that is full of others' work.

docs/design/safe-commit.md says what stands behind the order of things here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError, Refused
from gitbaton.core.ids import Oid
from gitbaton.git.committing import make_commit
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.placing import Wish
from gitbaton.git.privateindex import sweep
from gitbaton.git.sharedindex import read_staged
from gitbaton.git.upkeep import tidy
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.safecommit import guards
from gitbaton.workspace.safecommit.amending import require_own
from gitbaton.workspace.safecommit.base import Base, read_base
from gitbaton.workspace.safecommit.decision import Decision, name_branch
from gitbaton.workspace.safecommit.drafting import Draft, Drafter, refuse_nothing
from gitbaton.workspace.safecommit.following import find_superseded, follow
from gitbaton.workspace.safecommit.hindrance import BranchMoved
from gitbaton.workspace.safecommit.ledger import Ledger, Line, Maker
from gitbaton.workspace.safecommit.lock import TreeLock
from gitbaton.workspace.safecommit.message import clean, require_message, subject, with_task
from gitbaton.workspace.safecommit.move import Move
from gitbaton.workspace.safecommit.moving import Mover
from gitbaton.workspace.safecommit.request import CommitRequest, CommitSettings, Committed
from gitbaton.workspace.safecommit.scanning import require_no_secret
from gitbaton.workspace.safecommit.storage import writing
from gitbaton.workspace.snapshot.proposal import Proposal
from gitbaton.workspace.snapshot.snapshot import HookSnapshot

_ATTEMPTS: Final = 5  # plain commits of siblings that one commit gives way to
_LOGGED: Final = 1000  # characters of a subject in the reflog: the system limits one argument


Permit = Callable[[str | None], None]
"""Asked whether a branch may move; None: a detached HEAD. Raises Refused."""


class SafeCommit(Struct, frozen=True, kw_only=True):
    """Makes commits in the working tree ``tree``.

    ``me``: who may amend them. ``permit`` is asked under the lock, with the branch (None: HEAD is
    detached) that is about to move, and raises Refused where it must not: hooks take their time.
    ``tell`` is given notes for people, as they come up.
    """

    tree: WorkingTree
    lock: TreeLock
    hooks: HookSnapshot
    settings: CommitSettings
    me: Maker
    clock: Clock
    permit: Permit = lambda _: None
    tell: Callable[[str], None] = lambda _: None

    def run(self, request: CommitRequest) -> Committed:
        """Make the commit; under ``check`` find out whether it can be made.

        Raises Refused (a guard, HookFailed, TreeBusy, IndexBusy) and InvalidInput: then the branch
        and the index are as before.
        """
        if not request.amend:
            guards.require_paths(request.paths)
        guards.require_part(request.paths)
        if request.message is not None:
            require_message(request.message)
        with (
            self.lock.hold(timeout=request.wait, waiting=self.tell) as hold,
            writing(self.tree.state),
        ):
            durability = self.settings.durability
            mover = Mover(
                self.tree, self.clock, hold, durable=durability.refs, patience=request.patience
            )
            if mover.replay() is not None:
                self.tell("tidied up after a commit that was killed here")
            sweep(self.tree.state / "commit")
            objects = ObjectStore(
                self.tree.git, self.tree.common, self.tree.format, durable=durability.objects
            )
            try:
                return self._persist(request, objects, mover)
            finally:
                objects.close()

    def _persist(self, request: CommitRequest, objects: ObjectStore, mover: Mover) -> Committed:
        """Try, and again on the new tip when siblings committed with plain git meanwhile."""
        drafter = Drafter(
            tree=self.tree,
            objects=objects,
            limits=request.limits,
            recursive=request.recursive,
            file_modes=self.settings.file_modes,
            ignore_case=self.settings.ignore_case,
        )
        for count in range(_ATTEMPTS):
            base = read_base(self.tree, objects)
            try:
                return replace(self._attempt(request, base, drafter, mover), again=count)
            except BranchMoved as moved:
                self._require_sibling(base, moved)
        raise Refused(
            f"the branch moved {_ATTEMPTS} times while the commit was made",
            code="branch_moved",
            next="the same command again",
        )

    def _attempt(
        self, request: CommitRequest, base: Base, drafter: Drafter, mover: Mover
    ) -> Committed:
        guards.require_quiet(self.tree)
        if request.amend:
            require_own(base, self.tree, Ledger(self.tree.state), self.me)
        decision = self._decide(request, base, drafter)
        return decision.report() if request.check else self._land(decision, mover)

    def _decide(self, request: CommitRequest, base: Base, drafter: Drafter) -> Decision:
        """Draft the commit and show it to guards and hooks."""
        draft = drafter.draft(request.paths, base.view)
        if draft.root == base.view.root and (not request.amend or request.message is None):
            raise refuse_nothing(draft)
        require_no_secret(self.tree, self.settings.scanner, before=base.view.root, after=draft.root)
        proposal = self._propose(request, base, draft)
        checked = self.hooks.check(proposal)
        if checked.tree == base.view.root and not request.amend:
            raise refuse_nothing(draft)
        message = clean(checked.message, self.settings.cleanup, self.settings.comment)
        require_message(message)
        return Decision(base, draft, proposal, checked, message, amend=request.amend)

    def _propose(self, request: CommitRequest, base: Base, draft: Draft) -> Proposal:
        """Return what hooks are shown."""
        replaced = base.made if request.amend else None
        message = request.message
        source: tuple[str, ...] = ("message",)
        if message is None:
            assert replaced is not None, "only --amend goes without a message"
            message, source = replaced.message, ("commit", "HEAD")
        elif self.settings.task is not None:
            message = with_task(message, self.settings.task)
        return Proposal(
            tree=draft.root,
            head=base.tip,
            branch=base.branch,
            paths=frozenset(draft.survey.paths),
            message=clean(message, self.settings.cleanup, self.settings.comment),
            source=source,
            identity=replaced.author if replaced is not None else {},
            prefix=self.tree.prefix.decode("utf-8", "surrogateescape"),
        )

    def _land(self, decision: Decision, mover: Mover) -> Committed:
        """Make the commit object and let branch, index and files follow."""
        base, checked, changes = decision.base, decision.checked, decision.changes
        begun = decision.draft.survey.staged
        if checked.ran:  # hooks take their time
            guards.require_quiet(self.tree)
        commit = make_commit(
            self.tree,
            checked.tree,
            decision.parents,
            decision.message,
            sign=self.settings.sign,
            author=decision.author,
            encoding=decision.encoding,
        )
        self.permit(base.branch)
        # As late as can be: what somebody has staged since is newer than ours.
        now = read_staged(self.tree, list(changes))
        placed = mover.advance(
            Move(
                ref=base.ref,
                old=base.tip,
                new=commit,
                log=f"{decision.kind}: {subject(decision.message)[:_LOGGED]}",
                index=follow(changes, begun=begun, now=now),
                # A file that a hook took out of the commit stays where it lies.
                files=tuple(
                    Wish(fix.path, fix.before, fix.after)
                    for fix in checked.fixes
                    if fix.after is not None
                ),
            )
        )
        self._note(commit)
        printed = self._follow_up(decision.proposal, commit)
        tidy(self.tree)
        return replace(
            decision.report(),
            commit=commit,
            returned=tuple(placed),
            superseded=find_superseded(base.view, changes, begun=begun, now=now),
            output=checked.output + printed,
        )

    def _note(self, commit: Oid) -> None:
        """Note whose commit it is. It is made, whether that can be written or not."""
        try:
            Ledger(self.tree.state).note(Line(commit=commit, maker=self.me))
        except OSError as error:
            self.tell(
                "the commit is made, but --amend will not know it for yours: "
                f"{error.filename} cannot be written: {error.strerror}"
            )

    def _follow_up(self, proposal: Proposal, commit: Oid) -> bytes:
        """Run what follows the commit. It is made, whatever becomes of that."""
        try:
            return self.hooks.after(proposal, commit)
        except BatonError as error:
            self.tell(f"the commit is made, but post-commit could not be run: {error.message}")
            return b""

    def _require_sibling(self, base: Base, moved: BranchMoved) -> None:
        """Raise Refused unless the branch only got further commits while ours was made."""
        if moved.ref != base.branch:
            before, after = (name_branch(ref) for ref in (base.branch, moved.ref))
            raise Refused(
                f"HEAD was switched from {before} to {after} while the commit was made",
                code="head_moved",
                next="look with git status, then the same command again",
            )
        if base.tip is None or moved.tip is None:
            return
        grown = self.tree.git.run("merge-base", "--is-ancestor", base.tip, moved.tip, check=False)
        if grown.status != 0:
            raise Refused(
                f"{name_branch(base.branch)} was rewritten while the commit was made: it was at "
                f"{base.tip[:10]} and is at {moved.tip[:10]}",
                code="branch_moved",
                next="look with git log, then the same command again",
            )
