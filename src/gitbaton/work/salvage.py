"""What would be lost if a worktree were removed, and a commit that holds what a commit can (I3)."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitbaton.core.clock import Clock
from gitbaton.core.errors import Refused
from gitbaton.core.ids import Oid
from gitbaton.git.history import content_only_in, independent, tree_of, unreachable
from gitbaton.git.runner import Git
from gitbaton.git.snapshot import leaving_out, submodule_holds
from gitbaton.git.worktrees import QUIET, Linked, Worktrees, erase
from gitbaton.store.model import Actor
from gitbaton.work.attribution import Attribution, with_trailers
from gitbaton.work.leftovers import commit_tree
from gitbaton.work.record import Phase, claim_directory
from gitbaton.work.tips import (
    Tip,
    all_tips,
    find_head,
    new_branches,
    read_refs,
    saved_prefix,
    saved_tips,
)
from gitbaton.work.worktree import ClaimWorktree

KEPT = "kept"  # the code of the refusal to remove what holds something unique
SHOWN = 5  # paths named in a reason; the others are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What a worktree holds that is nowhere else.

    A commit can carry ``commits`` (tips that nothing published contains), ``files`` (the tree of
    changes that no commit of the claim holds) and ``staged`` (likewise, of the index). It cannot
    carry the others: ``unsaved`` files (unreadable), ``ignored`` files beyond the throw-away
    patterns, ``nested`` repositories, ``submodules`` with work of their own, a worktree that was
    ``moved`` out of its place.
    """

    commits: tuple[Tip, ...] = ()
    files: Oid | None = None
    staged: Oid | None = None
    unsaved: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    submodules: tuple[str, ...] = ()
    moved: Path | None = None

    @property
    def dirty(self) -> bool:
        """Whether there are changes that no commit of the claim holds."""
        return self.files is not None or self.staged is not None


def keep_reasons(holdings: Holdings) -> list[str]:
    """Return why the worktree must be kept even after a rescue: what no commit can carry."""
    found = [
        _listed("files that cannot be read", holdings.unsaved),
        _listed("ignored files", holdings.ignored),
        _listed("repositories inside", holdings.nested),
        _listed("submodules with work that is not pushed", holdings.submodules),
        f"it was moved to {holdings.moved}" if holdings.moved else "",
    ]
    return [reason for reason in found if reason]


def removal_reasons(holdings: Holdings) -> list[str]:
    """Return why the worktree may not be removed now; empty: it holds nothing unique."""
    found = [
        _listed(
            "commits that are not published", [f"{t.oid[:10]} ({t.what})" for t in holdings.commits]
        ),
        "changes that are not committed" if holdings.dirty else "",
    ]
    return [*(reason for reason in found if reason), *keep_reasons(holdings)]


def removable(holdings: Holdings) -> bool:
    """Tell whether nothing is lost when the worktree goes."""
    return not removal_reasons(holdings)


def assess(claim: ClaimWorktree, published: Collection[Oid], throw_away: Sequence[str]) -> Holdings:
    """Return what the worktree holds that is nowhere else. Changes nothing in it.

    ``published``: commits on the remote, and those kept here for a later push. ``throw_away``:
    patterns as in .gitignore of ignored files that may go. What the claim started from counts as
    published: it was made of such commits.
    """
    head, refs = find_head(claim), read_refs(claim)
    tips = all_tips(claim, head, refs)
    lost = set(unreachable(claim.repo, [t.oid for t in tips], {*published, claim.record.start}))
    commits = tuple(tip for tip in tips if tip.oid in lost)
    held = [tree_of(claim.repo, oid) for oid in ([head] if head else [])]
    held += [tree_of(claim.repo, tip.oid) for tip in saved_tips(refs)]
    place = claim.place
    with claim.files() as (files, own):
        tree = files.take(head, own) if place is not None else None
        staged = own.tree()
        elsewhere = held + ([tree.tree] if tree else [])
        unique = staged is not None and bool(content_only_in(claim.repo, staged, elsewhere))
        if place is None or tree is None:
            return Holdings(commits=commits, staged=staged if unique else None)
        replaced = [] if _is_ours(place / ".git", Path(claim.record.admin)) else ["./"]
        with leaving_out(throw_away) as patterns:
            beyond = files.others(patterns)
            submodules = [
                path
                for path in files.submodules()
                if _submodule_holds(claim, place / path, path, patterns)
            ]
        return Holdings(
            commits=commits,
            files=None if tree.tree in held else tree.tree,
            staged=staged if unique else None,
            unsaved=tree.unsaved,
            ignored=tuple(p for p in beyond if not p.endswith("/") and p not in tree.unsaved),
            nested=(*replaced, *sorted(p for p in {*tree.nested, *beyond} if p.endswith("/"))),
            submodules=tuple(submodules),
            moved=place if place.is_symlink() or place != claim.path else None,
        )


def rescue_commit(
    claim: ClaimWorktree, holdings: Holdings, *, reason: str, actor: Actor, clock: Clock
) -> Oid | None:
    """Return one commit that holds all that a commit can carry, None if there is nothing.

    Its tree is what lies in the worktree (where nothing does: the first tip's), its parents all
    tips. A single tip stands for itself. It is kept locally at once, so that being offline loses
    nothing; the caller pushes it to the task's rescue ref. Raises GitFailed.
    """
    repo, record = claim.repo, claim.record
    head = find_head(claim)
    tips = [tip.oid for tip in holdings.commits]
    who = Attribution(record.task, record.epoch)
    text = with_trailers(f"rescue: {record.task}: {reason}".encode(), who).decode()
    if holdings.staged is not None:
        parents = [head] if head else []
        tips.append(commit_tree(repo, holdings.staged, parents, text, author=actor, clock=clock))
    parents = independent(repo, tips)
    if holdings.files is None and len(parents) == 1:
        rescue = parents[0]
    elif holdings.files is None and not parents:
        return None
    else:
        tree = holdings.files or tree_of(repo, parents[0])
        parents = parents or ([head] if head else [])
        rescue = commit_tree(repo, tree, parents, text, author=actor, clock=clock)
    for oid in (*tips, rescue):
        repo.git.run("update-ref", saved_prefix(claim) + oid, oid)
    repo.keep(f"rescue/{record.task}/{record.epoch}-{rescue}", rescue)
    return rescue


def remove(claim: ClaimWorktree, published: Collection[Oid], throw_away: Sequence[str]) -> None:
    """Remove the worktree, its branches and its record.

    Refused, with the reasons, unless it holds nothing unique at this moment. One that a crash left
    half removed is removed to the end.
    """
    if claim.record.phase is not Phase.REMOVING:
        reasons = removal_reasons(assess(claim, published, throw_away))
        if reasons:
            raise Refused(
                f"{claim.path} is kept: {'; '.join(reasons)}", code=KEPT, next="baton rescue list"
            )
        claim.mark(Phase.REMOVING)
    finish_removal(claim)


def finish_removal(claim: ClaimWorktree) -> None:
    """Remove what is left of a worktree that was found to hold nothing unique."""
    repo, record = claim.repo, claim.record
    known = read_refs(claim)
    branches = new_branches(claim, known)
    worktrees = Worktrees(repo)
    if record.admin:
        worktrees.remove(Linked(claim.path, Path(record.admin)))
    worktrees.discard(claim.path)
    used = worktrees.checked_out()
    refs = {f"refs/heads/{name}": oid for name, oid in branches.items() if name not in used}
    refs |= {saved_prefix(claim) + tip.oid: tip.oid for tip in saved_tips(known)}
    for ref, oid in refs.items():
        repo.git.run("update-ref", "-d", ref, oid, check=False)  # only as it was assessed
    erase(claim_directory(repo, record.name))


def _is_ours(link: Path, admin: Path) -> bool:
    """Tell whether ``link`` is the `.git` file we know, or nothing at all."""
    try:
        text = os.fsdecode(link.read_bytes())
    except FileNotFoundError:
        return True
    except OSError:
        return False  # a directory: a repository of the agent's own
    return os.path.realpath(text.removeprefix("gitdir: ").strip()) == os.path.realpath(admin)


def _submodule_holds(claim: ClaimWorktree, place: Path, path: str, patterns: str) -> bool:
    """Tell whether the submodule at ``place`` has commits, changes or files that are only there."""
    began = claim.repo.git.run("rev-parse", "--quiet", f"{claim.record.start}:{path}", check=False)
    known = [began.text] if began.status == 0 else []
    git = Git(place, claim.repo.git.env, QUIET)
    return submodule_holds(git, known=known, patterns=patterns)


def _listed(what: str, items: Sequence[str]) -> str:
    if not items:
        return ""
    more = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
    return f"{what}: {', '.join(items[:SHOWN])}{more}"
