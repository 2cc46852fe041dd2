"""Runs the hooks of one commit in the private checkout. The caller holds the commit lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gitbaton.core.clock import Clock
from gitbaton.core.ids import Oid
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.snapshot.hooks import Found, HookDirectory
from gitbaton.workspace.snapshot.proposal import Checked, HookSettings, Proposal

if TYPE_CHECKING:
    from gitbaton.workspace.snapshot.passage import Passage

BEFORE: Final = ("pre-commit", "prepare-commit-msg", "commit-msg")
AFTER: Final = ("post-commit",)


class HookSnapshot:
    """The hooks of the working tree ``tree``, run where nobody else works.

    ``directory`` is the clone's own place beside it (``<clone>.baton``). ``env`` is the user's own
    environment, which the hooks get. ``tell`` is given what they print while they print it.
    ``hooks_path`` is the value of core.hooksPath, None where it is not set.
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
        self._tree, self._directory = tree, directory
        self._clock, self._env, self._tell = clock, env, tell
        self._settings = settings or HookSettings()
        self._hooks = HookDirectory.of(tree, hooks_path, env)

    def check(self, proposal: Proposal) -> Checked:
        """Passage pre-commit, prepare-commit-msg and commit-msg; return what is to be committed.

        Where there is none of them nothing is checked out. Raises HookFailed, GitFailed, BatonError
        where the checkout cannot be made.
        """
        found = self._find(BEFORE, proposal.tree)
        if not found.runnable:
            return Checked(tree=proposal.tree, message=proposal.message)
        return self._run(proposal).check(found.runnable)

    def after(self, proposal: Proposal, commit: Oid) -> bytes:
        """Passage post-commit for ``proposal``, which has become ``commit``, and return its output.

        It cannot undo the commit, so that it fails is only told, as git does.
        """
        found = self._find(AFTER, proposal.tree)
        if not found.runnable:
            return b""
        return self._run(replace(proposal, tree=commit, head=commit)).follow(found.runnable)

    def _find(self, names: Sequence[str], content: Oid) -> Found:
        found = self._hooks.find(names, content)
        if found.inert and self._gives_advice():
            for name in found.inert:
                self._tell(_IGNORED.format(self._hooks.command(name)).encode())
        return found

    def _gives_advice(self) -> bool:
        asked = self._tree.git.run("config", "--bool", "advice.ignoredHook", check=False)
        return asked.text != "false"

    def _run(self, proposal: Proposal) -> Passage:
        # Only a commit that has hooks pays for what they need.
        from gitbaton.workspace.snapshot.passage import Passage

        return Passage(
            self._tree,
            proposal,
            directory=self._directory,
            clock=self._clock,
            env=self._env,
            hooks=self._hooks,
            settings=self._settings,
            tell=self._tell,
        )


_IGNORED: Final = (
    "hint: The '{}' hook was ignored because it's not set as executable.\n"
    "hint: You can disable this warning with `git config advice.ignoredHook false`.\n"
)
