"""The commits that one claim's worktree leads to, wherever an agent may have left them.

Branches and the stash are shared by all worktrees of the coordination repository. Which of them
this worktree made is read from its own HEAD log, which gitbaton switched on when it made it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gitbaton.core.errors import GitFailed
from gitbaton.core.ids import Oid, is_oid
from gitbaton.git.history import find_commit
from gitbaton.work.worktree import BRANCHES, ClaimWorktree, stash_entries

# What git leaves in the worktree's own directory while an operation waits for somebody to go on.
_OPERATIONS = (
    ("rebase-merge", "rebase"),
    ("rebase-apply/applying", "am"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("sequencer", "cherry-pick"),
    ("BISECT_LOG", "bisect"),
)
_HELD_BY_OPERATIONS = (
    "MERGE_HEAD",
    "MERGE_AUTOSTASH",
    "CHERRY_PICK_HEAD",
    "rebase-merge/orig-head",
    "rebase-merge/autostash",
    "rebase-apply/orig-head",
    "rebase-apply/autostash",
)
_ON_BRANCH = re.compile(r"(?:WIP on|On) ([^:]+):")


@dataclass(frozen=True, slots=True)
class Tip:
    """A commit that something points at. ``what``: the thing, in words for people."""

    oid: Oid
    what: str


@dataclass(frozen=True, slots=True)
class ClaimRefs:
    """The refs that matter to a claim at one moment: all branches, and its own saved commits."""

    branches: Mapping[str, Oid]
    saved: tuple[Oid, ...]


def read_refs(claim: ClaimWorktree) -> ClaimRefs:
    """Return the refs as they are now. One process: who needs several things asks once."""
    prefix, heads = saved_prefix(claim), "refs/heads/"
    shown = claim.repo.git.run(
        "for-each-ref", "--format=%(refname) %(objectname)", heads, prefix
    ).text
    pairs = [
        (ref, Oid(oid)) for ref, _, oid in (line.rpartition(" ") for line in shown.split("\n"))
    ]
    return ClaimRefs(
        {ref.removeprefix(heads): oid for ref, oid in pairs if ref.startswith(heads)},
        tuple(oid for ref, oid in pairs if ref.startswith(prefix)),
    )


def find_head(claim: ClaimWorktree) -> Oid | None:
    """Return the commit that the worktree stands on; None for a branch without commits.

    Where git's directory for the worktree is gone, it is the tip of the claim's own branch.
    """
    if not claim.registered:
        return find_commit(claim.repo, f"refs/heads/{claim.record.branch}")
    asked = claim.git().run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False)
    if asked.status == 0:
        return Oid(asked.text)
    unborn = claim.git().run("symbolic-ref", "--quiet", "HEAD", check=False).status == 0
    return None if unborn else find_commit(claim.repo, f"refs/heads/{claim.record.branch}")


def branch_tips(claim: ClaimWorktree, refs: ClaimRefs) -> list[Tip]:
    """Return the claim's branch, then the other branches whose tips were made in the worktree."""
    seen = _seen(claim)
    tips = refs.branches
    own = claim.record.branch
    others = [b for b, oid in tips.items() if oid in seen and not b.startswith(BRANCHES)]
    return [Tip(tips[b], f"branch {b}") for b in (own, *others) if b in tips]


def new_branches(claim: ClaimWorktree, refs: ClaimRefs) -> dict[str, Oid]:
    """Return the branches that the claim leaves behind: its own, and those made in it."""
    seen = _seen(claim)
    return {
        name: oid
        for name, oid in refs.branches.items()
        if name == claim.record.branch
        or (oid in seen and name not in claim.record.branches and not name.startswith(BRANCHES))
    }


def stash_tips(claim: ClaimWorktree) -> list[Tip]:
    """Return the stash entries made since the worktree was, but for those of other claims."""
    found = []
    for oid, note in stash_entries(claim.repo):
        match = _ON_BRANCH.match(note)
        branch = match[1] if match else ""
        foreign = branch.startswith(BRANCHES) and branch != claim.record.branch
        if oid not in claim.record.stashes and not foreign:
            found.append(Tip(oid, "stash"))
    return found


def saved_tips(refs: ClaimRefs) -> list[Tip]:
    """Return the commits that gitbaton itself made of what lay in the worktree."""
    return [Tip(oid, "saved files") for oid in refs.saved]


def save_tip(claim: ClaimWorktree, oid: Oid) -> None:
    """Keep ``oid`` among the claim's saved commits."""
    claim.repo.git.run("update-ref", saved_prefix(claim) + oid, oid)


def saved_prefix(claim: ClaimWorktree) -> str:
    """Return the prefix of the private refs that hold the claim's saved commits."""
    return f"refs/claims/{claim.record.name}/"


def find_unfinished(claim: ClaimWorktree) -> str | None:
    """Return the operation (merge, rebase …) that the agent left half done, None if none."""
    admin = Path(claim.record.admin)
    return next((word for name, word in _OPERATIONS if (admin / name).exists()), None)


def operation_tips(claim: ClaimWorktree) -> list[Tip]:
    """Return the commits that only an unfinished operation points at."""
    found = []
    for name in _HELD_BY_OPERATIONS:
        for oid in _oids_in(Path(claim.record.admin) / name):
            with contextlib.suppress(GitFailed):
                commit = find_commit(claim.repo, oid)
                if commit is not None:
                    found.append(Tip(commit, f"{name} of an unfinished operation"))
    return found


def all_tips(claim: ClaimWorktree, head: Oid | None, refs: ClaimRefs) -> list[Tip]:
    """Return every commit that the claim leads to, each once, ``head`` first (``find_head``)."""
    found = [
        *([Tip(head, "HEAD")] if head else []),
        *branch_tips(claim, refs),
        *operation_tips(claim),
        *stash_tips(claim),
        *saved_tips(refs),
    ]
    return list({tip.oid: tip for tip in reversed(found)}.values())[::-1]


def _seen(claim: ClaimWorktree) -> set[Oid]:
    """Return all commits that the worktree's HEAD was ever at."""
    seen = set()
    with contextlib.suppress(OSError):
        for line in (Path(claim.record.admin) / "logs" / "HEAD").read_bytes().split(b"\n"):
            words = line.split(b" ", 2)
            if len(words) == 3 and is_oid(text := words[1].decode("ascii", "replace")):
                seen.add(Oid(text))
    return seen


def _oids_in(path: Path) -> Iterator[Oid]:
    try:
        words = path.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return
    yield from (Oid(word) for word in words if is_oid(word))
