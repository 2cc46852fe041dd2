"""A commit that guards and hooks have passed, before anything is moved (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from gitbaton.core.ids import Oid
from gitbaton.git.entries import Entry
from gitbaton.git.treeview import TreeView
from gitbaton.workspace.safecommit.base import Base
from gitbaton.workspace.safecommit.drafting import Draft
from gitbaton.workspace.safecommit.message import subject
from gitbaton.workspace.safecommit.request import Committed, Status
from gitbaton.workspace.snapshot.proposal import Checked, Proposal


class Decision(Struct, frozen=True):
    """What is committed: on ``base``, the ``draft`` as ``checked`` left it, with ``message``."""

    base: Base
    draft: Draft
    proposal: Proposal
    checked: Checked
    message: bytes
    amend: bool

    @property
    def changes(self) -> Mapping[bytes, Entry | None]:
        """What changes, with the fixes of hooks."""
        fixed = {fix.path: fix.after for fix in self.checked.fixes}
        return {**self.draft.changes, **fixed}

    @property
    def parents(self) -> tuple[Oid, ...]:
        """The parents of the new commit."""
        if self.amend and self.base.made is not None:
            return self.base.made.parents
        return () if self.base.tip is None else (self.base.tip,)

    @property
    def author(self) -> Mapping[str, str] | None:
        """GIT_AUTHOR_* where the author stays who it was, else None."""
        return self.base.made.author if self.amend and self.base.made is not None else None

    @property
    def encoding(self) -> str | None:
        """The encoding of a message that is taken over as it is, None: as configured."""
        taken_over = self.proposal.source[0] == "commit" and self.base.made is not None
        return self.base.made.encoding if taken_over and self.base.made is not None else None

    @property
    def kind(self) -> str:
        """What git's reflog calls such a commit."""
        if self.amend:
            return "commit (amend)"
        return "commit" if self.base.tip is not None else "commit (initial)"

    def report(self) -> Committed:
        """Return the answer, as long as nothing is made."""
        changes = self.changes
        return Committed(
            commit=None,
            parent=self.base.tip,
            branch=self.base.branch,
            subject=subject(self.message),
            files={path: _status(self.base.view, path, changes[path]) for path in sorted(changes)},
            unchanged=tuple(path for path in self.draft.survey.paths if path not in changes),
            dropped=self.checked.dropped,
            hooks=self.checked.ran,
            output=self.checked.output,
            amended=self.amend,
        )


def name_branch(ref: str | None) -> str:
    """Return a branch as people call it."""
    return "a detached HEAD" if ref is None else ref.removeprefix("refs/heads/")


def _status(tip: TreeView, path: bytes, entry: Entry | None) -> Status:
    if entry is None:
        return "removed"
    return "added" if tip.entry(path) is None else "changed"
