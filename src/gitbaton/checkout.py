"""The part of the composition root for commits from a working tree that many share.

Apart from ``app``: a commit needs neither the records nor the remote, and starts without them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gitbaton.core.clock import Clock, SystemClock
from gitbaton.core.config import CommitSection
from gitbaton.core.config_file import read_config
from gitbaton.core.errors import BatonError
from gitbaton.core.ids import task_id
from gitbaton.git.durability import read_durability
from gitbaton.git.gitconfig import flag, read_gitconfig
from gitbaton.git.sharing import share_files
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.consent import decide
from gitbaton.workspace.place import beside
from gitbaton.workspace.safecommit.commit import Permit, SafeCommit
from gitbaton.workspace.safecommit.journal import unfinished
from gitbaton.workspace.safecommit.ledger import Maker
from gitbaton.workspace.safecommit.lock import Holder, TreeBusy, TreeLock
from gitbaton.workspace.safecommit.message import cleanup_mode
from gitbaton.workspace.safecommit.moving import PATIENCE, Mover
from gitbaton.workspace.safecommit.request import CommitSettings
from gitbaton.workspace.snapshot.proposal import HookSettings
from gitbaton.workspace.snapshot.snapshot import HookSnapshot

if TYPE_CHECKING:
    from gitbaton.workspace.integration.catching_up import CaughtUp
    from gitbaton.workspace.integration.integration import Integration

Tell = Callable[[str], None]


class Checkout:
    """One working tree, and what commits in it are made with.

    ``tell`` is given notes for people, ``show`` what hooks print. ``command``: what others see this
    process do while they wait for it.
    """

    def __init__(
        self,
        directory: Path,
        env: Mapping[str, str],
        *,
        command: str,
        clock: Clock | None = None,
        tell: Tell = lambda _: None,
        show: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._env, self._tell, self._show = env, tell, show
        self._command = command
        self.clock: Clock = clock or SystemClock()
        self.tree = WorkingTree.find(directory, env)
        share_files(self.tree.git, self.tree.common)
        self.config = read_config(self.tree.top)

    @property
    def section(self) -> CommitSection:
        """``[commit]`` of this working tree's ``baton.toml``."""
        return self.config.commit

    @property
    def lock(self) -> TreeLock:
        """The lock of the working tree."""
        env = self._env
        holder = Holder(
            pid=os.getpid(),
            command=self._command,
            session=env.get("BATON_SESSION") or None,
            agent=env.get("BATON_AGENT") or None,
            task=env.get("BATON_TASK") or None,
        )
        return TreeLock(self.tree.state, self.clock, holder)

    def commits(self, *, permit: Permit = lambda _: None) -> SafeCommit:
        """Return what makes commits here; ``permit``: see SafeCommit.

        Raises InvalidInput for a setting of no use, Refused for one that this machine has to
        confirm (workspace/consent.py).
        """
        env, section = self._env, self.section
        settings = read_gitconfig(self.tree.git)
        return SafeCommit(
            tree=self.tree,
            lock=self.lock,
            hooks=HookSnapshot(
                self.tree,
                directory=self._place(settings),
                clock=self.clock,
                env=env,
                hooks_path=settings.get("core.hookspath"),
                settings=HookSettings(
                    links=section.links,
                    timeout=float(section.hook_timeout),
                    accept_fixes=section.accept_fixes,
                ),
                tell=self._show,
            ),
            settings=CommitSettings(
                cleanup=cleanup_mode(settings.get("commit.cleanup")),
                comment=_comment(settings.get("core.commentchar")),
                sign=flag(settings, "commit.gpgsign", default=False),
                file_modes=flag(settings, "core.filemode", default=True),
                ignore_case=flag(settings, "core.ignorecase", default=False),
                task=task_id(env["BATON_TASK"], field="BATON_TASK") if self._notes_task else None,
                scanner=self._scanner(settings),
                durability=read_durability(settings),
            ),
            me=Maker(
                session=env.get("BATON_SESSION") or None,
                agent=env.get("BATON_AGENT") or None,
                author=_author(env, settings),
            ),
            clock=self.clock,
            permit=permit,
            tell=self._tell,
        )

    @property
    def _notes_task(self) -> bool:
        return self.section.trailer and bool(self._env.get("BATON_TASK"))

    def integration(self, *, wait: float, patience: float = PATIENCE) -> Integration:
        """Return what brings this working tree and its upstream together.

        ``wait``: seconds to wait for the lock of the tree; ``patience``: for git's own locks.
        Raises as ``commits``.
        """
        # Only what pushes and pulls pays for it.
        import random

        from gitbaton.workspace.integration.integration import Integration

        settings = read_gitconfig(self.tree.git)
        return Integration(
            tree=self.tree,
            lock=self.lock,
            clock=self.clock,
            rng=random.Random(),
            how=self.config.sessions.integrate,
            sign=flag(settings, "commit.gpgsign", default=False),
            fallback=self._remote(settings),
            timeout=wait,
            patience=patience,
            sparse=flag(settings, "core.sparsecheckout", default=False),
            place=os.fspath(self._place(settings) / "merge"),
            durable=read_durability(settings).refs,
            waiting=self._tell,
        )

    def catch_up(
        self, merge: Sequence[bytes], mine: Sequence[bytes], *, wait: float
    ) -> list[CaughtUp]:
        """Let files that stayed behind be committed again: merged, or as they are (``mine``).

        ``wait``: seconds to wait for the lock of the tree. Raises Refused.
        """
        from gitbaton.workspace.integration.catching_up import catch_up

        with self.lock.hold(timeout=wait, waiting=self._tell):
            return catch_up(self.tree, merge, mine)

    def _remote(self, settings: Mapping[str, str]) -> str | None:
        """Return where a branch without an upstream is pushed to: as ``init`` chose, or would."""
        from gitbaton.workspace.lookup import remote_urls
        from gitbaton.workspace.settings import choose_remote
        from gitbaton.workspace.settings import read_settings as read_choice

        chosen = read_choice(self.tree.clone_state)
        if chosen is not None and chosen.remote is not None:
            return chosen.remote
        remotes = list(remote_urls(settings))
        return choose_remote(remotes) if len(remotes) == 1 or "origin" in remotes else None

    def replay(self) -> bool:
        """Finish or take back what a killed process began here; tell whether there was anything.

        Another process that holds the lock does it, or is itself at work: then nothing is done.
        Raises IndexBusy, GitFailed: then it is still noted.
        """
        try:
            with self.lock.hold(timeout=0) as hold:
                return Mover(self.tree, self.clock, hold, patience=1.0).replay() is not None
        except TreeBusy:
            return False

    def _scanner(self, settings: Mapping[str, str]) -> str | None:
        proposed = self.section.scanner
        found = decide("commit.scanner", proposed, settings)
        if proposed is not None and found not in (None, proposed):
            self._tell(f"baton.toml proposes another detector ({proposed}); here runs: {found}")
        return found

    def _place(self, settings: Mapping[str, str]) -> Path:
        """Return the directory for checkouts, beside the main working tree (as for worktrees)."""
        common = self.tree.clone_state.parent
        top = common.parent if common.name == ".git" else self.tree.top
        return beside(top, self.config.work.worktrees, settings)


def replay_unfinished(clone_state: Path, env: Mapping[str, str], *, clock: Clock) -> int:
    """Finish what killed processes began in any working tree of a clone; return how many.

    ``clone_state``: see WorkingTree.clone_state. Raises what the first of them raised that could
    not be finished (IndexBusy, GitFailed, a broken working tree), after all others.
    """
    count, failed = 0, None
    for top in unfinished(clone_state):
        if top.is_dir():
            try:
                count += Checkout(top, env, command="recovery", clock=clock).replay()
            except BatonError as error:
                failed = failed or error
    if failed is not None:
        raise failed
    return count


def _author(env: Mapping[str, str], settings: Mapping[str, str]) -> str | None:
    """Return the address that git takes for the author of what this process commits."""
    configured = settings.get("author.email") or settings.get("user.email")
    return env.get("GIT_AUTHOR_EMAIL") or configured


def _comment(configured: str | None) -> bytes:
    return b"#" if configured in (None, "auto") else os.fsencode(configured or "#")
