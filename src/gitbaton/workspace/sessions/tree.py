"""The worktree of one session: a linked worktree of the clone, on a branch of its own.

Unlike an agent's it belongs to the clone: what is committed in it is at once on a branch that
everybody in the clone sees, and `git push` goes where the clone's pushes go.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitbaton.core.errors import BatonError, Refused
from gitbaton.core.ids import Oid, is_oid
from gitbaton.git.history import content_only_in, independent, tree_of
from gitbaton.git.repository import CoordinationRepository
from gitbaton.git.runner import Git
from gitbaton.git.snapshot import holds_commits, leaving_out, private_files, submodule_holds
from gitbaton.git.worktrees import QUIET, Linked, Worktrees, erase
from gitbaton.workspace.sessions.roll import OwnTree

BRANCHES: Final = "session/"
_SEED: Final = "index.made"
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
        self._repository, self._directory = repository, directory
        self._throw_away = throw_away
        clone = repository.clone
        # Git's own directory as the place: the working tree that we were started in may go.
        self._git = Git(clone.common, clone.git.env, (f"--git-dir={clone.common}",))
        self._home = _Home(clone.common, self._git)
        self._worktrees = Worktrees(self._home, repository.path / "worktrees.lock")

    def plan(self, name: str, base: Oid, branch: str | None = None) -> OwnTree:
        """Return the worktree that the session ``name`` would get. Makes nothing.

        ``branch``: the one to make, if it is not there yet. Raises Refused where its place or its
        own branch is taken.
        """
        path = str(self._directory / name)
        wanted = OwnTree(path=path, branch=branch or BRANCHES + name, base=base)
        if branch is not None and self._tip(wanted) is not None:
            wanted = OwnTree(path=path, branch=BRANCHES + name, base=base)
        if os.path.lexists(wanted.path):
            raise Refused(f"{wanted.path} is already there", next="baton session start --name NAME")
        if self._tip(wanted) is not None:
            raise Refused(
                f"there is a branch {wanted.branch!r} already",
                next=f"git branch -d {wanted.branch}, or baton session start --name NAME",
            )
        return wanted

    def make(self, tree: OwnTree) -> None:
        """Make the worktree. Raises GitFailed; what is left then is for ``discard``.

        It is locked, so that `git worktree prune` leaves it alone while its disk is away.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
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
        shutil.copy2(made.admin / "index", made.admin / _SEED)

    def discard(self, tree: OwnTree) -> None:
        """Erase a worktree that nobody was ever given, with its branch."""
        self._erase(tree)
        self._drop_branch(tree, tree.base)

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
        if not linked.path.is_dir():
            return self._unpublished(tree, linked, self._worktrees.at(linked), published)
        git = self._worktrees.at(linked)
        try:
            return [
                *self._unfinished(linked),
                *self._unpublished(tree, linked, git, published),
                *self._uncommitted(linked, git),
            ]
        except BatonError as error:  # what cannot be judged stays
            return [f"it cannot be judged: {error.message}"]

    def remove(self, tree: OwnTree) -> None:
        """Remove a worktree that was judged to hold nothing unique, and its branch.

        May be repeated after a kill. The branch goes only if others still hold all of it, and no
        working tree stands on it. Raises BatonError.
        """
        self._erase(tree)
        tip = self._tip(tree)
        if tip is not None and not self._lost([tip], tree.branch):
            self._drop_branch(tree, tip)

    def is_whole(self, tree: OwnTree) -> bool:
        """Tell whether it is there, so that somebody may be at work in it. Half of one is aside."""
        return os.path.lexists(tree.path)

    # --- what it holds

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
        tip = self._tip(tree)
        tips = [*([Oid(head.text)] if head.status == 0 else []), *([tip] if tip else [])]
        # What only this worktree's own branches hold would be on no branch that somebody minds.
        own = (tree.branch, *([branch] if branch else []))
        if lost := [oid for oid in self._lost(tips, *own) if oid not in published]:
            count = self._git.run("rev-list", "--count", *lost, "--not", *_other_refs(*own)).text
            where = f"on {branch}" if branch else "on no branch"
            return [f"{count} commits that are neither pushed nor merged, {where}"]
        logged = _logged(linked)
        there = set(logged) - self._repository.objects.missing(logged)
        for oid in independent(self._repository, self._lost(sorted(there))):
            self._repository.keep(f"session/{Path(tree.path).name}/{oid}", oid)
        return []

    def _uncommitted(self, linked: Linked, git: Git) -> list[str]:
        found = git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False)
        head = Oid(found.text) if found.status == 0 else None
        seed, own = linked.admin / _SEED, linked.admin / "index"
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
                        Git(linked.path / path, self._git.env, QUIET), known=(), patterns=patterns
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
                git = Git(head.parent, self._git.env, (f"--git-dir={head.parent}", *QUIET))
                if holds_commits(git):
                    yield os.fspath(head.parent.relative_to(modules))

    # --- small things

    def _find(self, tree: OwnTree) -> Linked | None:
        wanted = os.path.realpath(tree.path)
        return next(
            (item for item in self._worktrees.list() if os.path.realpath(item.path) == wanted), None
        )

    def _tip(self, tree: OwnTree) -> Oid | None:
        shown = self._git.run(
            "rev-parse", "--verify", "--quiet", f"refs/heads/{tree.branch}", check=False
        )
        return Oid(shown.text) if shown.status == 0 else None

    def _stood_on(self) -> set[str]:
        """Return the branches that a working tree of the clone stands on, the main one's too."""
        found = self._worktrees.checked_out()
        with contextlib.suppress(OSError):
            head = os.fsdecode((self._home.path / "HEAD").read_bytes()).strip()
            found.add(head.removeprefix("ref: refs/heads/"))
        return found

    def _lost(self, tips: Sequence[Oid], *branches: str) -> list[Oid]:
        """Return those of ``tips`` that no ref but these ``branches`` leads to."""
        if not tips:
            return []
        listed = self._git.run("rev-list", *dict.fromkeys(tips), "--not", *_other_refs(*branches))
        lost = set(listed.text.split("\n"))
        return [tip for tip in dict.fromkeys(tips) if tip in lost]

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
                raise BatonError(f"cannot move {tree.path}: {error.strerror}") from error
            erase(aside)
            self._worktrees.remove(linked)
        else:
            # Of a git that was killed early; a directory with anything in it is somebody else's.
            with contextlib.suppress(OSError):
                os.rmdir(tree.path)

    def _drop_branch(self, tree: OwnTree, tip: Oid) -> None:
        if tree.branch in self._stood_on():
            return  # without it that working tree would have no commit
        self._git.run("update-ref", "-d", f"refs/heads/{tree.branch}", tip, check=False)


def _aside(tree: OwnTree) -> Path:
    """Return where a worktree is while it is deleted: no session has a name with a dot first."""
    path = Path(tree.path)
    return path.with_name(f".{path.name}.removing")


def _other_refs(*branches: str) -> list[str]:
    # Without the first word the worktree's own HEAD would vouch for what it alone leads to.
    return ["--single-worktree", *(f"--exclude=refs/heads/{name}" for name in branches), "--all"]


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
