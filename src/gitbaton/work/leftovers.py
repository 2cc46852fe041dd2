"""Turns what an agent left behind into commits, and says which of them is the result."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gitbaton.core.clock import Clock
from gitbaton.core.ids import Oid
from gitbaton.git.history import (
    contains,
    content_only_in,
    independent,
    tree_of,
    unreachable,
)
from gitbaton.git.objects import Commit, encode_commit, make_object
from gitbaton.git.repository import CoordinationRepository
from gitbaton.git.snapshot import OwnIndex, Snapshot
from gitbaton.store.model import Actor
from gitbaton.work.attribution import Attribution, read_commit, with_trailers
from gitbaton.work.result import Candidate, choose_result
from gitbaton.work.signature import person
from gitbaton.work.tips import (
    ClaimRefs,
    Tip,
    all_tips,
    branch_tips,
    find_head,
    find_unfinished,
    operation_tips,
    read_refs,
    save_tip,
    saved_tips,
)
from gitbaton.work.worktree import ClaimWorktree


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """What an agent left behind, all of it commits now but for ``unsaved`` and ``nested``.

    ``result``: what may land; None where nothing was done, or the work is unfinished. ``made``:
    the commit made here, if there was something to commit. ``others``: commits that the result
    does not contain. ``unfinished``: the operation left half done, or ``unmerged``.
    ``rewritten``: the result does not descend from where the agent began. ``gone``: the files
    are no longer there, so only commits were found. ``unsaved``: files that could not be read.
    """

    result: Oid | None
    made: Oid | None
    others: tuple[Tip, ...]
    unfinished: str | None
    rewritten: bool
    gone: bool
    unsaved: tuple[str, ...]
    nested: tuple[str, ...]


def save_leftovers(claim: ClaimWorktree, *, message: str, agent: Actor, clock: Clock) -> Leftovers:
    """Commit everything in the worktree that is not committed, and choose the result (I3).

    To be called when no process of the agent runs any more. May be repeated: without new changes
    it commits nothing. Raises GitFailed when the repository itself cannot be written.
    """
    head = find_head(claim)
    unfinished = find_unfinished(claim)
    gone = claim.place is None
    made, snapshot = None, Snapshot(tree=Oid(""), nested=(), unsaved=())
    with claim.files() as (files, own):
        if unfinished is None and own.unmerged():
            unfinished = "unmerged"
        if not gone:
            snapshot = files.take(head, own)
            made = _commit_files(claim, head, snapshot.tree, message, agent, clock)
        _commit_staged(claim, head, own, snapshot.tree, agent, clock)
        if made is not None and unfinished is None:
            _advance(claim, head, made, files.index)
    refs = read_refs(claim)
    chosen = None if unfinished else choose_result(_candidates(claim, made or head, refs))
    held = [claim.record.start, *([chosen.oid] if chosen else [])]
    tips = all_tips(claim, find_head(claim), refs)
    lost = set(unreachable(claim.repo, [tip.oid for tip in tips], held))
    return Leftovers(
        result=chosen.oid if chosen else None,
        made=made,
        others=tuple(tip for tip in tips if tip.oid in lost),
        unfinished=unfinished,
        rewritten=chosen is not None and not chosen.descends,
        gone=gone,
        unsaved=snapshot.unsaved,
        nested=snapshot.nested,
    )


def commit_tree(
    repo: CoordinationRepository,
    tree: Oid,
    parents: Sequence[Oid],
    message: str,
    *,
    author: Actor,
    clock: Clock,
) -> Oid:
    """Write the commit of ``tree`` with ``parents`` and return its id."""
    text = message.replace("\0", "").rstrip("\n")  # git takes no NUL in a commit
    commit = Commit(tree, tuple(parents), person(author, clock), text)
    item = make_object("commit", encode_commit(commit), repo.objects.format)
    repo.objects.write([item])
    return item.oid


def _commit_files(
    claim: ClaimWorktree, head: Oid | None, tree: Oid, message: str, agent: Actor, clock: Clock
) -> Oid | None:
    """Commit ``tree`` onto ``head`` unless that is what ``head`` holds, or it was done before."""
    repo = claim.repo
    if head is not None and tree == tree_of(repo, head):
        return None
    # An unfinished merge is kept as one: what was being merged may be nowhere else.
    merging = [tip.oid for tip in operation_tips(claim) if tip.what.startswith("MERGE_HEAD")]
    parents = (*([head] if head else []), *merging)
    for tip in saved_tips(read_refs(claim)):
        old = read_commit(repo.objects.read(tip.oid)[1])
        if (old.tree, old.parents) == (tree, parents):
            return tip.oid
    made = commit_tree(repo, tree, parents, _attributed(claim, message), author=agent, clock=clock)
    save_tip(claim, made)
    return made


def _commit_staged(
    claim: ClaimWorktree, head: Oid | None, own: OwnIndex, tree: Oid, agent: Actor, clock: Clock
) -> None:
    """Keep what was staged and then changed or deleted again: only the index knows it (I3)."""
    staged = own.tree()
    elsewhere = [tree_of(claim.repo, head)] if head else []
    elsewhere += [tree] if tree else []
    if staged is None or staged in elsewhere:
        return
    elsewhere += [tree_of(claim.repo, tip.oid) for tip in saved_tips(read_refs(claim))]
    if not content_only_in(claim.repo, staged, elsewhere):
        return
    text = _attributed(claim, f"What was staged in {claim.record.name}")
    parents = [head] if head else []
    save_tip(claim, commit_tree(claim.repo, staged, parents, text, author=agent, clock=clock))


def _advance(claim: ClaimWorktree, head: Oid | None, made: Oid, index: Path) -> None:
    """Move the worktree's branch (or detached HEAD) to ``made``, and its index with it.

    Best effort: ``made`` has a private ref of its own. Lock files in the way were left by an agent
    that is dead now.
    """
    ref, stale = f"refs/heads/{claim.record.branch}", []
    if claim.registered:
        named = claim.git().run("symbolic-ref", "--quiet", "HEAD", check=False).text
        ref, admin = "HEAD", Path(claim.record.admin)
        stale = [admin / "HEAD.lock", admin / "index.lock", claim.repo.path / f"{named}.lock"]
    for lock in stale:
        lock.unlink(missing_ok=True)
    old = head or Oid("0" * len(made))
    moved = claim.git().run("update-ref", ref, made, old, check=False)
    if moved.status == 0 and claim.registered:
        with contextlib.suppress(OSError):
            fresh = Path(claim.record.admin) / "index.baton"
            shutil.copy2(index, fresh)
            os.replace(fresh, fresh.with_name("index"))


def _candidates(claim: ClaimWorktree, head: Oid | None, refs: ClaimRefs) -> list[Candidate]:
    repo, start = claim.repo, claim.record.start
    own, *others = [tip.oid for tip in branch_tips(claim, refs)] or [start]
    built = [oid for oid in others if contains(repo, oid, start)]
    places = [(oid, True) for oid in (head, own) if oid is not None]
    places += [(oid, False) for oid in independent(repo, built)]
    return [
        Candidate(
            oid=oid,
            expected=expected,
            descends=contains(repo, oid, start),
            ahead=not contains(repo, start, oid),
        )
        for oid, expected in places
    ]


def _attributed(claim: ClaimWorktree, message: str) -> str:
    who = Attribution(claim.record.task, claim.record.epoch)
    return with_trailers(message.encode(), who).decode()
