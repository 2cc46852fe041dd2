"""The worktree of one session: a linked worktree of the clone, on a branch of its own.

Unlike an agent's it belongs to the clone: what is committed in it is at once on a branch that
everybody in the clone sees, and `git push` goes where the clone's pushes go.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitbaton.core.errors import BatonError, Refused
from gitbaton.core.ids import Oid
from gitbaton.git.repository import CoordinationRepository
from gitbaton.git.runner import Git
from gitbaton.git.sharing import make_shared
from gitbaton.git.worktrees import Linked, Worktrees, erase
from gitbaton.workspace.sessions.branches import Branches
from gitbaton.workspace.sessions.judging import SEED, Judge
from gitbaton.workspace.sessions.roll import OwnTree

BRANCHES: Final = "session/"


@dataclass(frozen=True, slots=True)
class _Home:
    """The clone as a repository that has linked worktrees."""

    path: Path
    git: Git


class SessionTrees:
    """The worktrees of a clone's sessions, below ``directory``.

    ``throw_away``: patterns as in .gitignore of ignored files that may go with one.
    """

    def __init__(
        self, repository: CoordinationRepository, directory: Path, throw_away: Sequence[str]
    ) -> None:
        self._directory = directory
        clone = repository.clone
        # Git's own directory as the place: the working tree that we were started in may go.
        self._git = Git(clone.common, clone.git.env, (f"--git-dir={clone.common}",))
        home = _Home(clone.common, self._git)
        self._worktrees = Worktrees(home, repository.path / "worktrees.lock")
        self._branches = Branches(clone.common, self._git, self._worktrees)
        self._judge = Judge(repository, self._worktrees, self._branches, throw_away)

    def plan(self, name: str, base: Oid, branch: str | None = None) -> OwnTree:
        """Return the worktree that the session ``name`` would get. Makes nothing.

        ``branch``: the one to make, if it is not there yet. Raises Refused where its place or its
        own branch is taken.
        """
        path = str(self._directory / name)
        wanted = OwnTree(path=path, branch=branch or BRANCHES + name, base=base)
        if branch is not None and self._branches.tip(wanted.branch) is not None:
            wanted = OwnTree(path=path, branch=BRANCHES + name, base=base)
        if os.path.lexists(wanted.path):
            raise Refused(f"{wanted.path} is already there", next="baton session start --name NAME")
        if self._branches.tip(wanted.branch) is not None:
            raise Refused(
                f"there is a branch {wanted.branch!r} already",
                next=f"git branch -d {wanted.branch}, or baton session start --name NAME",
            )
        return wanted

    def make(self, tree: OwnTree) -> None:
        """Make the worktree. Raises GitFailed; what is left then is for ``discard``.

        It is locked, so that `git worktree prune` leaves it alone while its disk is away.
        """
        for directory in (self._directory.parent, self._directory):
            make_shared(directory, self._git.directory)
        with self._worktrees.lock():
            self._git.run(
                *("worktree", "add", "--quiet", "--no-checkout", "--lock"),
                *("--reason", "a session of gitbaton", "-b", tree.branch, "--", tree.path),
                tree.base,
            )
        # Not under the lock: a large tree takes long. As git would: with filters and hooks.
        Git(Path(tree.path), self._git.env).run("checkout", "--quiet", "--force")
        # By a copy of the index as it is now, unchanged files are known later without reading
        # them, and no flag that somebody sets in the worktree's own hides a change.
        made = self._find(tree)
        assert made is not None, "it was made a moment ago"
        shutil.copy2(made.admin / "index", made.admin / SEED)

    def discard(self, tree: OwnTree) -> None:
        """Erase a worktree that nobody was ever given, with its branch."""
        self._erase(tree)
        self._branches.drop(tree.branch, tree.base)

    def judge(self, tree: OwnTree, published: Sequence[Oid] = ()) -> list[str]:
        """Return why the worktree must stay: what it holds that is nowhere else (I3).

        Changes nothing in it. Empty: it may be removed. Commits that it once was at and that no
        branch holds (amended, reset away) are kept in the coordination repository first.
        ``published``: commits that are known to be safe, whatever the clone knows.
        """
        linked = self._find(tree)
        if linked is None:
            return (
                [] if not os.path.lexists(tree.path) else ["git no longer knows it as a worktree"]
            )
        return self._judge.judge(tree, linked, published)

    def remove(self, tree: OwnTree) -> None:
        """Remove a worktree that was judged to hold nothing unique, and its branch.

        May be repeated after a kill. The branch goes only if others still hold all of it, and no
        working tree stands on it. Raises BatonError.
        """
        self._erase(tree)
        tip = self._branches.tip(tree.branch)
        if tip is not None and not self._branches.lost([tip], tree.branch):
            self._branches.drop(tree.branch, tip)

    def is_whole(self, tree: OwnTree) -> bool:
        """Tell whether it is there, so that somebody may be at work in it. Half of one is aside."""
        return os.path.lexists(tree.path)

    def _find(self, tree: OwnTree) -> Linked | None:
        wanted = os.path.realpath(tree.path)
        return next(
            (item for item in self._worktrees.list() if os.path.realpath(item.path) == wanted), None
        )

    def _erase(self, tree: OwnTree) -> None:
        linked = self._find(tree)
        aside = _aside(tree)
        erase(aside)
        if linked is not None:
            # In one step: whoever comes after a kill finds all of it, to be judged, or none.
            try:
                os.rename(tree.path, aside)
            except FileNotFoundError:
                pass
            except OSError as error:
                raise BatonError(
                    f"cannot move {tree.path}: {error.strerror}", next=f"ls -ld {tree.path}"
                ) from error
            erase(aside)
            self._worktrees.remove(linked)
        else:
            # Of a git that was killed early; a directory with anything in it is somebody else's.
            with contextlib.suppress(OSError):
                os.rmdir(tree.path)


def _aside(tree: OwnTree) -> Path:
    """Return where a worktree is while it is deleted: no session has a name with a dot first."""
    path = Path(tree.path)
    return path.with_name(f".{path.name}.removing")
