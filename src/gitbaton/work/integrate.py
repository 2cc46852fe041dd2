"""Brings a result onto the tip of its target: the commit that way ``merge`` lands.

Done in a scratch worktree of the coordination repository: never in the agent's worktree, never in
the user's clone. Nothing here moves a branch; the landing does, in one push with the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError, GitFailed
from gitbaton.core.ids import Oid
from gitbaton.git.history import commits_between, contains
from gitbaton.git.objects import Person, make_object
from gitbaton.git.repository import CoordinationRepository
from gitbaton.git.runner import Completed, Git
from gitbaton.git.worktrees import Worktrees
from gitbaton.store.model import Actor
from gitbaton.work.attribution import (
    Attribution,
    CommitText,
    has_trailers,
    read_commit,
    with_trailers,
    write_commit,
)
from gitbaton.work.signature import identity, person

How: TypeAlias = Literal["rebase", "merge"]


class IntegrationConflict(BatonError):
    """The result and the target changed the same lines; ``files`` are the paths in conflict.

    ``commit``: the commit that did not apply.
    """

    code = "conflict"

    def __init__(self, commit: Oid, files: Sequence[str], reason: str) -> None:
        about = f"conflicts in {', '.join(files)}" if files else reason
        super().__init__(f"{commit[:10]} does not fit onto the target: {about}")
        self.commit, self.files = commit, tuple(files)


@dataclass(frozen=True, slots=True)
class Integrated:
    """A commit that contains the target's tip and the result.

    ``way``: how it came about; ``contained``: the target has all of it already, and ``commit`` is
    the target's tip. ``commits``: those that the target does not have yet, parents first.
    """

    commit: Oid
    way: Literal["contained", "fast-forward", "rebase", "merge"]
    commits: tuple[Oid, ...]


def integrate(
    repo: CoordinationRepository,
    *,
    result: Oid,
    target: Oid,
    how: How,
    attribution: Attribution,
    title: str,
    actor: Actor,
    clock: Clock,
) -> Integrated:
    """Return a commit that brings ``result`` onto ``target``, with ``attribution`` in its trailers.

    Where ``target`` is an ancestor and every commit is attributed already, that is ``result``
    itself. ``rebase``: each commit again on top, author and message kept, trailers added; commits
    whose change the target has are left out. ``merge``, or a result that contains merges (to make
    those again would lose how they were resolved): one merge commit. ``title`` is its subject.
    Raises IntegrationConflict, GitFailed.
    """
    if contains(repo, target, result):
        return Integrated(target, "contained", ())
    commits = commits_between(repo, target, result)
    texts = {oid: read_commit(repo.objects.read(oid)[1]) for oid in commits}
    ahead = contains(repo, result, target)
    if ahead and all(has_trailers(text.message, attribution) for text in texts.values()):
        return Integrated(result, "fast-forward", tuple(commits))
    work = _Integration(repo, target, attribution, person(actor, clock))
    if how == "merge" or any(len(text.parents) != 1 for text in texts.values()):
        commit = work.merge(result, title, identity(actor, clock))
        return Integrated(commit, "merge", tuple(commits_between(repo, target, commit)))
    # Without a divergence the trees stay what they are, and nothing can conflict.
    tip = work.sign(texts) if ahead else work.rebase(result, texts)
    if tip == target:
        return Integrated(target, "contained", ())
    return Integrated(tip, "rebase", tuple(commits_between(repo, target, tip)))


class _Integration:
    """One target, and how commits are made on it."""

    def __init__(
        self,
        repo: CoordinationRepository,
        target: Oid,
        attribution: Attribution,
        committer: Person,
    ) -> None:
        self.repo = repo
        self.target = target
        self.attribution = attribution
        self.committer = committer

    def sign(self, texts: dict[Oid, CommitText]) -> Oid:
        """Make a line of commits on the target again, with trailers."""
        tip = self.target
        for text in texts.values():
            tip = self._write(replace(text, parents=(tip,)))
        return tip

    def rebase(self, result: Oid, texts: dict[Oid, CommitText]) -> Oid:
        """Apply each commit that the target does not have in other words to the target."""
        fresh = self.repo.git.run(
            *("rev-list", "--reverse", "--topo-order", "--cherry-pick", "--right-only"),
            f"{self.target}...{result}",
        ).text
        tip, tree = self.target, read_commit(self.repo.objects.read(self.target)[1]).tree
        with Worktrees(self.repo).scratch(self.target) as git:
            for oid in (Oid(line) for line in fresh.split("\n") if line):
                # -n: on top of what the picks before it left in the index, without committing.
                done = git.run("cherry-pick", "--no-commit", "--allow-empty", oid, check=False)
                _check(git, done, oid)
                after = Oid(git.run("write-tree").text)
                if after != tree or self._was_empty(texts[oid]):
                    tip, tree = self._write(replace(texts[oid], tree=after, parents=(tip,))), after
        return tip

    def merge(self, result: Oid, title: str, who: dict[str, str]) -> Oid:
        """Return a merge commit of the target and ``result``."""
        with Worktrees(self.repo).scratch(self.target) as git:
            done = git.run(
                *("merge", "--quiet", "--no-commit", "--no-ff", result), env=who, check=False
            )
            _check(git, done, result)
            tree = Oid(git.run("write-tree").text)
        author = b"author " + self.committer.encode()
        message = title.replace("\0", "").strip().encode()
        return self._write(CommitText(tree, (self.target, result), (author,), message))

    def _was_empty(self, text: CommitText) -> bool:
        parent = read_commit(self.repo.objects.read(text.parents[0])[1])
        return parent.tree == text.tree

    def _write(self, text: CommitText) -> Oid:
        message = with_trailers(text.message, self.attribution)
        body = write_commit(replace(text, message=message), self.committer)
        item = make_object("commit", body, self.repo.objects.format)
        self.repo.objects.write([item])
        return item.oid


def _check(git: Git, done: Completed, commit: Oid) -> None:
    """Raise for a pick or merge that did not go through: a conflict, or git's own trouble."""
    if done.status == 0:
        return
    listed = git.run("diff", "--name-only", "--diff-filter=U", "-z").text
    files = [name for name in listed.split("\0") if name]
    if files or "unrelated histories" in done.stderr:
        raise IntegrationConflict(commit, files, done.stderr.strip())
    raise GitFailed(["git", "merge"], done.status, done.stderr)
