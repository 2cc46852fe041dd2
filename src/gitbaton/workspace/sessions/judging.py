"""Judges what the worktree of a session holds that is nowhere else (I3). Changes nothing in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from gitbaton.core.errors import BatonError
from gitbaton.core.ids import Oid, is_oid
from gitbaton.git.history import content_only_in, independent, tree_of
from gitbaton.git.repository import CoordinationRepository
from gitbaton.git.runner import Git
from gitbaton.git.snapshot import holds_commits, leaving_out, private_files, submodule_holds
from gitbaton.git.worktrees import QUIET, Linked, Worktrees
from gitbaton.workspace.sessions.branches import Branches
from gitbaton.workspace.sessions.roll import OwnTree

SEED: Final = "index.made"  # in git's directory for the worktree: the index as it was made
_SHOWN: Final = 5  # paths named in a reason; the others are counted
_OPERATIONS: Final = (
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "rebase-merge",
    "rebase-apply",
    "sequencer",
    "BISECT_LOG",
)


class Judge:
    """Judges worktrees of the clone of ``repository``.

    ``throw_away``: patterns as in .gitignore of ignored files that may go with one.
    """

    def __init__(
        self,
        repository: CoordinationRepository,
        worktrees: Worktrees,
        branches: Branches,
        throw_away: Sequence[str],
    ) -> None:
        self._repository = repository
        self._worktrees, self._branches = worktrees, branches
        self._throw_away = throw_away
        self._env = branches.git.env

    def judge(self, tree: OwnTree, linked: Linked, published: Sequence[Oid]) -> list[str]:
        """Return why ``tree`` must stay; ``linked`` is what git knows of it.

        Commits that it once was at and that no branch holds (amended, reset away) are kept in the
        coordination repository first. ``published``: see SessionTrees.judge.
        """
        git = self._worktrees.at(linked)
        if not linked.path.is_dir():
            return self._unpublished(tree, linked, git, published)
        try:
            return [
                *self._unfinished(linked),
                *self._unpublished(tree, linked, git, published),
                *self._uncommitted(linked, git),
            ]
        except BatonError as error:  # what cannot be judged stays
            return [f"it cannot be judged: {error.message}"]

    def _unfinished(self, linked: Linked) -> Iterator[str]:
        for name in _OPERATIONS:
            if (linked.admin / name).exists():
                yield f"an operation is not finished ({name})"
                return

    def _unpublished(
        self, tree: OwnTree, linked: Linked, git: Git, published: Sequence[Oid]
    ) -> list[str]:
        named = git.run("symbolic-ref", "--quiet", "HEAD", check=False).text
        branch = named.removeprefix("refs/heads/") if named else None
        head = git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False)
        tip = self._branches.tip(tree.branch)
        tips = [*([Oid(head.text)] if head.status == 0 else []), *([tip] if tip else [])]
        # What only this worktree's own branches hold would be on no branch that somebody minds.
        own = (tree.branch, *([branch] if branch else []))
        if lost := [oid for oid in self._branches.lost(tips, *own) if oid not in published]:
            count = self._branches.count_lost(lost, *own)
            where = f"on {branch}" if branch else "on no branch"
            commits = "1 commit that is" if count == 1 else f"{count} commits that are"
            return [f"{commits} neither pushed nor merged, {where}"]
        logged = _logged(linked)
        there = set(logged) - self._repository.objects.missing(logged)
        for oid in independent(self._repository, self._branches.lost(sorted(there))):
            self._repository.keep(f"session/{Path(tree.path).name}/{oid}", oid)
        return []

    def _uncommitted(self, linked: Linked, git: Git) -> list[str]:
        found = git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False)
        head = Oid(found.text) if found.status == 0 else None
        seed, own = linked.admin / SEED, linked.admin / "index"
        with private_files(git, self._repository.path, seed=seed, own=own) as (files, index):
            taken = files.take(head, index)
            staged, unmerged = index.tree(), index.unmerged()
            committed = [tree_of(self._repository, head)] if head else []
            only_staged = staged is not None and bool(
                content_only_in(self._repository, staged, [*committed, taken.tree])
            )
            with leaving_out(self._throw_away) as patterns:
                beyond = files.others(patterns)
                submodules = [*self._parked(linked)] or [
                    path
                    for path in files.submodules()
                    if submodule_holds(
                        Git(linked.path / path, self._env, QUIET), known=(), patterns=patterns
                    )
                ]
        changed = "changes that are not committed" if [taken.tree] != committed else ""
        nested = {path for path in (*taken.nested, *beyond) if path.endswith("/")}
        ignored = [p for p in beyond if not p.endswith("/") and p not in taken.unsaved]
        found_reasons = [
            changed or ("staged changes that are not committed" if only_staged else ""),
            _listed("paths with a conflict", unmerged),
            _listed("files that cannot be read", taken.unsaved),
            _listed("ignored files", ignored),
            _listed("repositories inside", sorted(nested)),
            _listed("submodules with work that is not pushed", submodules),
        ]
        return [reason for reason in found_reasons if reason]

    def _parked(self, linked: Linked) -> Iterator[str]:
        """Yield the submodules with commits that are only here, checked out or not any more."""
        modules = linked.admin / "modules"
        for head in sorted(modules.rglob("HEAD")):
            if (head.parent / "objects").is_dir():
                git = Git(head.parent, self._env, (f"--git-dir={head.parent}", *QUIET))
                if holds_commits(git):
                    yield os.fspath(head.parent.relative_to(modules))


def _logged(linked: Linked) -> list[Oid]:
    """Return the commits that the worktree's HEAD has been at."""
    found: list[Oid] = []
    with contextlib.suppress(OSError):
        for line in (linked.admin / "logs" / "HEAD").read_bytes().split(b"\n"):
            words = line.split(b" ", 2)
            if len(words) == 3 and is_oid(text := words[1].decode("ascii", "replace")):
                found.append(Oid(text))
    return found


def _listed(what: str, items: Sequence[str]) -> str:
    if not items:
        return ""
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return f"{what}: {', '.join(items[:_SHOWN])}{more}"
