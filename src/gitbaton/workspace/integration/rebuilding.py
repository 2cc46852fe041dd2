"""Brings the unpushed commits of a branch onto what others have pushed, without a working tree.

Git merges trees by itself since 2.38 (git-merge-tree(1), --write-tree). A commit is applied
elsewhere by a three-way merge over its parent; the base that git shall use is named by a commit
made for the purpose, whose parent it is (--merge-base came with 2.40).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from msgspec.structs import replace

from gitbaton.core.errors import BatonError, GitFailed, Refused
from gitbaton.core.ids import Oid
from gitbaton.git.committing import Made, make_commit, read_made
from gitbaton.git.workingtree import WorkingTree

How: TypeAlias = Literal["rebase", "merge"]
Way: TypeAlias = Literal["nothing", "fast-forward", "rebase", "merge"]

LEAST_GIT: Final = (2, 38)
_NOBODY: Final = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "gitbaton"), ("EMAIL", "gitbaton@gitbaton.invalid"))
}
_ENCODING = re.compile(rb"^encoding (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Where the branch shall be: ``commit``. ``way``: how it comes there.

    ``dropped``: how many commits were left out because upstream has taken them back.
    """

    commit: Oid
    way: Way
    dropped: int = 0


class Conflict(BatonError):
    """``commit`` of ours does not fit: the same lines were changed in ``paths``."""

    code = "conflict"

    def __init__(self, commit: Oid, paths: Sequence[bytes]) -> None:
        super().__init__(f"{commit[:10]} does not fit")
        self.commit, self.paths = commit, tuple(paths)


@dataclass(frozen=True, slots=True)
class Rebuilder:
    """Makes commits in the repository of ``tree``; moves nothing. ``sign``: as git is set."""

    tree: WorkingTree
    sign: bool

    def bring(
        self, ours: Oid | None, theirs: Oid, *, how: How, title: str, dropped: Oid | None = None
    ) -> Rebuilt:
        """Return a commit that holds ``theirs`` and what ``ours`` has beyond it.

        ``rebase``: each of our commits again on top, author and message kept; what theirs has
        already is left out. Merges among them are not made again (how they were resolved would
        be lost): then, and with ``merge``, one merge commit with the subject ``title``.

        ``dropped``: what upstream had, and has taken back (a secret, say). A merge would bring it
        back, so what is ours alone is made again, whatever ``how`` says. Raises Conflict, Refused
        with too old a git, without a common history, or with a merge of ours in such a case,
        GitFailed.
        """
        if ours is None or self._contains(theirs, ours):
            return Rebuilt(theirs, "nothing" if ours == theirs else "fast-forward")
        if dropped is not None:
            return self._bring_without(dropped, ours, theirs)
        if self._contains(ours, theirs):
            return Rebuilt(ours, "nothing")
        self._require_git()
        if self._run("merge-base", ours, theirs, ok=(0, 1)) == "":
            raise Refused(
                "upstream and this branch have no commit in common",
                code="unrelated",
                next="git merge --allow-unrelated-histories, in a worktree of its own",
            )
        commits = self._lines("rev-list", "--reverse", "--topo-order", f"{theirs}..{ours}")
        made = {oid: self._read(oid) for oid in commits}
        if how == "merge" or any(len(one.parents) != 1 for one in made.values()):
            return Rebuilt(self._merge(ours, theirs, title), "merge")
        return Rebuilt(self._rebase(ours, theirs, made), "rebase")

    def _bring_without(self, dropped: Oid, ours: Oid, theirs: Oid) -> Rebuilt:
        """Return ``theirs`` with what is in ``ours`` alone, and not in ``dropped``."""
        self._require_git()
        beyond = (f"^{theirs}", f"^{dropped}", ours)
        made = {oid: self._read(oid) for oid in self._lines("rev-list", *beyond)}
        if any(len(one.parents) != 1 for one in made.values()):
            raise Refused(
                f"upstream has taken back {dropped[:10]}, and there are merges among the commits "
                "made here on top of it; the branch stays as it is",
                code="rewritten",
                next=f"git rebase --rebase-merges --onto {theirs[:10]} {dropped[:10]}, in a "
                "worktree of its own",
            )
        count = len(self._lines("rev-list", f"{theirs}..{dropped}"))
        return Rebuilt(self._rebase(ours, theirs, made, dropped), "rebase", count)

    def _rebase(
        self, ours: Oid, theirs: Oid, made: dict[Oid, Made], dropped: Oid | None = None
    ) -> Oid:
        fresh = self._lines(
            *("rev-list", "--reverse", "--topo-order", "--cherry-pick", "--right-only"),
            f"{theirs}...{ours}",
            *([f"^{dropped}"] if dropped is not None else []),
        )
        tip, tree = theirs, self._tree_of(theirs)
        for oid in fresh:
            one = made[oid]
            [parent] = one.parents
            before = self._tree_of(parent)
            base = self._stand_in(tree, parent)
            after = self._merge_trees(base, oid, blame=oid)
            if after != tree or one.tree == before:  # empty ones were meant to be
                tip, tree = self._again(oid, one, after, tip), after
        return tip

    def _merge(self, ours: Oid, theirs: Oid, title: str) -> Oid:
        tree = self._merge_trees(ours, theirs, blame=ours)
        message = title.encode("utf-8", "surrogateescape") + b"\n"
        return make_commit(self.tree, tree, [ours, theirs], message, sign=self.sign)

    def _merge_trees(self, one: Oid, other: Oid, *, blame: Oid) -> Oid:
        done = self.tree.git.run(
            *("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", one, other),
            check=False,
        )
        if done.status not in (0, 1):
            raise GitFailed(["git", "merge-tree"], done.status, done.stderr)
        tree, *paths = done.stdout.split(b"\0")
        if done.status == 1:
            raise Conflict(blame, tuple(path for path in paths if path))
        return Oid(tree.decode().strip())

    def _stand_in(self, tree: Oid, parent: Oid) -> Oid:
        """Return a commit of ``tree`` whose only parent is ``parent``: the merge base, then."""
        done = self.tree.git.run("commit-tree", "-p", parent, tree, stdin=b"base\n", env=_NOBODY)
        return Oid(done.text)

    def _again(self, oid: Oid, one: Made, tree: Oid, parent: Oid) -> Oid:
        """Make the commit ``oid`` again with another tree and parent; its author stays."""
        encoding = _ENCODING.search(self._body(oid).partition(b"\n\n")[0])
        worker = self.tree
        if encoding is not None:
            named = f"i18n.commitEncoding={encoding[1].decode('ascii', 'replace')}"
            worker = _with_options(self.tree, "-c", named)
        return make_commit(worker, tree, [parent], one.message, sign=self.sign, author=one.author)

    def _read(self, oid: Oid) -> Made:
        return read_made(self._body(oid))

    def _body(self, oid: Oid) -> bytes:
        return self.tree.git.run("cat-file", "commit", oid).stdout

    def _tree_of(self, commit: Oid) -> Oid:
        return Oid(self._run("rev-parse", "--verify", f"{commit}^{{tree}}"))

    def _contains(self, tip: Oid, commit: Oid) -> bool:
        asked = self.tree.git.run("merge-base", "--is-ancestor", commit, tip, check=False)
        if asked.status not in (0, 1):
            raise GitFailed(["git", "merge-base"], asked.status, asked.stderr)
        return asked.status == 0

    def _lines(self, *args: str) -> list[Oid]:
        return [Oid(line) for line in self._run(*args).split("\n") if line]

    def _run(self, *args: str, ok: tuple[int, ...] = (0,)) -> str:
        done = self.tree.git.run(*args, check=False)
        if done.status not in ok:
            raise GitFailed(["git", *args], done.status, done.stderr)
        return done.text

    def _require_git(self) -> None:
        shown = self._run("version")
        found = re.search(r"(\d+)\.(\d+)", shown)
        if found is None or (int(found[1]), int(found[2])) < LEAST_GIT:
            raise Refused(
                "bringing commits together without a working tree needs git 2.38 or newer; "
                f"this is {shown}",
                code="old_git",
                next="upgrade git, or git pull --rebase in a worktree of your own",
            )


def _with_options(tree: WorkingTree, *options: str) -> WorkingTree:
    return replace(tree, git=replace(tree.git, options=(*tree.git.options, *options)))
