"""Moves a branch and brings the shared index along, in the order that nobody can slip into.

The order and why: docs/design/safe-commit.md, section 2. Everything here needs the tree's lock.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct, structs

from gitbaton.core.clock import Clock
from gitbaton.core.errors import GitFailed
from gitbaton.core.ids import Oid
from gitbaton.git.entries import Entry
from gitbaton.git.head import has_been_at, read_branch, read_tip
from gitbaton.git.leftovers import sweep_beside
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.placing import Placed, place_files
from gitbaton.git.reftransaction import RefTransaction
from gitbaton.git.sharedindex import (
    NOTHING,
    IndexLocked,
    lock_path,
    read_staged,
    refresh_staged,
    write_staged,
)
from gitbaton.git.treeview import TreeView
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.behind import forget_behind
from gitbaton.workspace.safecommit.hindrance import BranchMoved, IndexBusy, RefRefused
from gitbaton.workspace.safecommit.journal import Journal
from gitbaton.workspace.safecommit.lock import Hold
from gitbaton.workspace.safecommit.marks import find_unmarked, give_marks
from gitbaton.workspace.safecommit.move import Move

_PAUSE: Final = 0.01  # seconds between two looks at a lock of git's, at first
_LONGEST_PAUSE: Final = 0.25
PATIENCE: Final = 10.0  # seconds to wait for locks of git's


class Mover(Struct, frozen=True):
    """Moves the branch of ``tree``, whose lock is held.

    ``durable``: what is to be moved is on the disk before it is (git/durability.py). ``patience``:
    seconds to wait for locks of other git processes.
    """

    tree: WorkingTree
    clock: Clock
    hold: Hold
    durable: bool = False
    patience: float = PATIENCE

    def advance(self, move: Move) -> list[Placed]:
        """Make ``move``: the ref by compare-and-swap, the index entries with it, then the files.

        Returns what became of the files. Raises BranchMoved, IndexBusy and RefRefused with nothing
        changed, GitFailed.
        """
        journal = Journal(self.tree)
        deadline = self.clock.elapsed() + self.patience
        try:
            pause, waited = _PAUSE, False
            while not self._attempt(
                move, journal, last=self.clock.elapsed() >= deadline, waited=waited
            ):
                self.clock.sleep(pause)
                pause, waited = min(pause * 2, _LONGEST_PAUSE), True
        except IndexLocked as error:
            journal.clear()
            raise IndexBusy(self.tree, self.clock, self.patience) from error
        except (BranchMoved, RefRefused):
            journal.clear()
            raise
        except GitFailed:
            self.replay()
            raise
        placed = self._finish(move)
        journal.clear()
        return placed

    def replay(self) -> Move | None:
        """Finish or take back the move that a killed process left, and return it; None: none.

        Raises IndexBusy, GitFailed: then it is still noted, and the next one tries.
        """
        journal = Journal(self.tree)
        move = journal.read()
        if move is not None:
            sweep_beside(self.tree, [wish.path for wish in move.files])
            tip = self._settled_tip(move)
            if tip == move.new and self._stands_on(move.ref):
                self._correct({edit.path: (edit.before, edit.after) for edit in move.index}, move)
                placed = self._finish(move)
                forget_behind(self.tree.state, [one.path for one in placed if one.fate == "placed"])
            elif tip != move.new and not self._was_made(move, tip):
                self._take_back(move)
                forget_behind(self.tree.state, {wish.path: wish.before for wish in move.files})
        journal.clear()
        return move

    def _stands_on(self, ref: str) -> bool:
        """Tell whether HEAD is on ``ref``: else index and files belong to another branch by now."""
        return (read_branch(self.tree) or "HEAD") == ref

    def _attempt(self, move: Move, journal: Journal, *, last: bool, waited: bool) -> bool:
        """Try once; False when a lock of git's is in the way and it is not the ``last`` time.

        ``waited``: somebody held a lock since the move was planned, and may have staged something.
        """
        if lock_path(self.tree).exists() and not last:
            return False  # better seen before the ref is locked: that would make others fail
        if waited and not move.careful:
            move = self._without_newer(move)
        journal.write(move, durable=self.durable)
        with RefTransaction(
            self.tree.git, move.ref, old=move.old, new=move.new, log=move.log
        ) as ref:
            try:
                ref.prepare()
            except GitFailed as error:
                tip = read_tip(self.tree, move.ref)
                if tip != move.old:
                    raise BranchMoved(move, ref=read_branch(self.tree), tip=tip) from None
                refusal = RefRefused.by(error, move.ref)
                if refusal.locked and not last:
                    return False  # by somebody who then did not move it, or has not yet
                raise refusal from error
            # From here on HEAD stays: its lock is held along with the branch's.
            standing = read_branch(self.tree)
            if (standing or "HEAD") != move.ref:
                raise BranchMoved(move, ref=standing, tip=move.old)
            if move.careful and not self._is_unstaged(move):
                raise BranchMoved(move, ref=standing, tip=move.old)
            try:
                if move.index:
                    self._write([(edit.path, edit.after) for edit in move.index], move)
            except IndexLocked:
                if last:
                    raise
                return False
            ref.commit()
        return True

    def _without_newer(self, move: Move) -> Move:
        """Return ``move`` without the entries that somebody has staged since: theirs stay."""
        now = read_staged(self.tree, [edit.path for edit in move.index])
        kept = [edit for edit in move.index if now.get(edit.path, NOTHING).entry == edit.before]
        return structs.replace(move, index=tuple(kept))

    def _is_unstaged(self, move: Move) -> bool:
        """Tell whether the index still holds what it did when the move was planned."""
        now = read_staged(self.tree, [edit.path for edit in move.index])
        return all(
            found.entry == edit.before and (found.entry is None or found.marks == edit.marks)
            for edit in move.index
            for found in (now.get(edit.path, NOTHING),)
        )

    def _finish(self, move: Move) -> list[Placed]:
        placed = place_files(self.tree, move.files, directory=self.tree.state / "commit")
        self._keep_marks(move, {edit.path: edit.after for edit in move.index})
        refresh_staged(self.tree, [edit.path for edit in move.index if edit.after is not None])
        return placed

    def _settled_tip(self, move: Move) -> Oid | None:
        """Return where the ref is, sure that no git of a killed process is about to move it."""
        deadline = self.clock.elapsed() + self.patience
        while True:
            tip = read_tip(self.tree, move.ref)
            hold = RefTransaction(self.tree.git, move.ref, old=tip, new=tip, log="baton: look")
            with hold:
                try:
                    hold.prepare()
                except GitFailed as error:
                    if "File exists" not in error.stderr and read_tip(self.tree, move.ref) == tip:
                        return tip  # no lock: another branch has taken its name, or a hook says no
                    if self.clock.elapsed() >= deadline:
                        raise RefRefused.by(error, move.ref) from error
                else:
                    return tip
            self.clock.sleep(_PAUSE)

    def _was_made(self, move: Move, tip: Oid | None) -> bool:
        """Tell whether the ref has been at ``move.new``, wherever it went since."""
        if tip is None or tip == move.old:
            return has_been_at(self.tree, move.ref, move.new)
        asked = self.tree.git.run("merge-base", "--is-ancestor", move.new, tip, check=False)
        return asked.status == 0 or has_been_at(self.tree, move.ref, move.new)

    def _take_back(self, move: Move) -> None:
        """Let the index be as before, but where HEAD itself has what the move was to bring."""
        objects = ObjectStore(self.tree.git, self.tree.common, self.tree.format)
        try:
            head = read_tip(self.tree, "HEAD^{tree}")
            view = TreeView(objects, head)
            undone = [edit for edit in move.index if view.entry(edit.path) != edit.after]
        finally:
            objects.close()
        self._correct({edit.path: (edit.after, edit.before) for edit in undone}, move)
        self._keep_marks(move, {edit.path: edit.before for edit in undone})

    def _correct(self, edits: dict[bytes, tuple[Entry | None, Entry | None]], move: Move) -> None:
        """Turn each entry that is the first into the second, and leave all others."""
        deadline = self.clock.elapsed() + self.patience
        while True:
            now = read_staged(self.tree, list(edits))
            stale = [
                (path, wanted)
                for path, (wrong, wanted) in edits.items()
                if wrong != wanted and now.get(path, NOTHING).entry == wrong
            ]
            if not stale:
                return
            try:
                self._write(stale, move)
            except IndexLocked as error:
                if self.clock.elapsed() >= deadline:
                    raise IndexBusy(self.tree, self.clock, self.patience) from error
                self.clock.sleep(_PAUSE)
            else:
                return

    def _write(self, edits: Sequence[tuple[bytes, Entry | None]], move: Move) -> None:
        write_staged(self.tree, edits, pen=self.hold.pen)
        left = {path for path, entry in edits if entry is not None}
        with contextlib.suppress(IndexLocked):  # they come when the branch is free: _keep_marks
            marked = [edit for edit in move.index if edit.path in left]
            give_marks(self.tree, marked, pen=self.hold.pen)

    def _keep_marks(self, move: Move, wanted: Mapping[bytes, Entry | None]) -> None:
        """Let the entries that are as ``wanted`` have their marks, which a lock or a kill kept off.

        Raises IndexLocked, GitFailed: then the move is still noted, and the next one tries.
        """
        deadline = self.clock.elapsed() + self.patience
        while unmarked := find_unmarked(self.tree, move.index, wanted):
            try:
                give_marks(self.tree, unmarked, pen=self.hold.pen)
            except IndexLocked:
                if self.clock.elapsed() >= deadline:
                    raise
                self.clock.sleep(_PAUSE)
            else:
                return
