"""What a commit is refused for before anything is hashed or moved.

Each refusal names the command to copy.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from gitbaton.core.errors import Refused
from gitbaton.git.sharedindex import NOTHING, find_obstacles, list_staged
from gitbaton.git.treeview import TreeView, parents
from gitbaton.git.workingfiles import find_filtered, find_ignored
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.behind import read_behind
from gitbaton.workspace.safecommit.naming import command, listed, shown
from gitbaton.workspace.safecommit.survey import Survey
from gitbaton.workspace.torn import MINE, THEIRS, has_marks, read_torn, write_torn

_UNDER_WAY: Final = (
    # A file or directory of the git directory, what it stands for, how it is ended.
    ("rebase-merge", "a rebase", "git rebase --continue (or --abort)"),
    ("rebase-apply/applying", "git am", "git am --continue (or --abort)"),
    ("rebase-apply", "a rebase", "git rebase --continue (or --abort)"),
    ("MERGE_HEAD", "a merge", "git merge --continue (or --abort)"),
    ("CHERRY_PICK_HEAD", "a cherry-pick", "git cherry-pick --continue (or --abort)"),
    ("REVERT_HEAD", "a revert", "git revert --continue (or --abort)"),
    ("sequencer", "a cherry-pick or revert", "git cherry-pick --continue (or --abort)"),
    ("BISECT_LOG", "a bisection", "git bisect reset"),
)


class Limits(Struct, frozen=True, kw_only=True):
    """What a commit may be at most: removed files, and bytes of one file."""

    deletions: int = 50
    file_size: int = 50_000_000


def require_paths(paths: Sequence[bytes]) -> None:
    """Raise Refused where nothing is named: what others changed is not ours to commit."""
    if not paths:
        raise Refused(
            "name the files to commit: others may have changes in this working tree",
            code="no_path",
            next="git status --short, then baton commit PATH... -m MSG",
        )


def require_part(paths: Sequence[bytes]) -> None:
    """Raise Refused where the whole working tree is named."""
    if b"" in paths:
        raise Refused(
            "the whole working tree is not one session's to commit: name files or directories",
            code="no_path",
            next="git status --short, then baton commit PATH... -m MSG",
        )


def require_quiet(tree: WorkingTree) -> None:
    """Raise Refused while a rebase, merge, cherry-pick, revert, am or bisection is under way.

    Such an operation owns HEAD until it ends: it would take our commit along, or leave it behind.
    """
    for name, words, end in _UNDER_WAY:
        if (tree.git_dir / name).exists():
            raise Refused(
                f"{words} is under way in this working tree: it moves HEAD, and would take the "
                "commit along or leave it behind",
                code="in_progress",
                next=end,
            )


def require_merged(survey: Survey) -> None:
    """Raise Refused for paths with a conflict in the index."""
    torn = [path for path in survey.paths if survey.staged.get(path, NOTHING).unmerged]
    if torn:
        raise Refused(
            f"not merged yet: {listed(torn)}",
            code="unmerged",
            next=f"resolve the conflict, then git add -- {' '.join(map(shown, torn[:8]))}",
        )


def require_current(tree: WorkingTree, survey: Survey) -> None:
    """Raise Refused for files that stayed behind when upstream was brought in (shared-sync.md)."""
    behind = read_behind(tree.state)
    stale = [path for path in survey.paths if path in behind]
    if stale:
        names = " ".join(f"--merge {shown(path)}" for path in stale[:8])
        raise Refused(
            f"{listed(stale)}: begun before upstream's version came in; to commit it as it is "
            "would undo that",
            code="behind",
            next=f"baton sync {names} (or, if you have looked: --mine)",
        )


def require_mended(tree: WorkingTree, survey: Survey) -> None:
    """Raise Refused for files in which a merge with upstream has left its marks."""
    noted = read_torn(tree.state)
    if not noted:
        return
    top = os.fsencode(tree.top)
    torn = frozenset(path for path in noted if has_marks(os.path.join(top, path)))
    if torn != noted:
        write_torn(tree.state, torn)
    left = [path for path in survey.paths if path in torn]
    if left:
        raise Refused(
            f"{listed(left)}: both sides of a conflict with upstream are still in it, between "
            f"'<<<<<<< {MINE}' and '>>>>>>> {THEIRS}'",
            code="conflict_marks",
            next=f"edit {shown(left[0])} until no mark is left, then the same command again",
        )


def require_in_cone(survey: Survey) -> None:
    """Raise Refused for files that are gone only because a sparse checkout leaves them out."""
    outside = [path for path in survey.gone if survey.staged.get(path, NOTHING).skipped]
    if outside:
        raise Refused(
            f"left out by the sparse checkout, not deleted: {listed(outside)}",
            code="sparse",
            next=f"git sparse-checkout add -- {shown(outside[0].rpartition(b'/')[0] or b'.')}",
        )


def require_looked_at(survey: Survey) -> None:
    """Raise Refused for files that git was told to leave alone, as ``git commit`` would.

    As a rule they hold what is somebody's own, such as a local configuration.
    """
    for path in survey.present:
        staged = survey.staged.get(path, NOTHING)
        if staged.skipped or staged.assumed:
            flag = "skip-worktree" if staged.skipped else "assume-unchanged"
            raise Refused(
                f"{shown(path)} is marked to be left alone ({flag})",
                code="left_alone",
                next=f"if it shall be committed: git update-index --no-{flag} -- {shown(path)}",
            )


def require_few_gone(survey: Survey, limits: Limits) -> None:
    """Raise Refused when more files are removed than a commit may by itself."""
    count = len(survey.gone)
    if count > limits.deletions:
        raise Refused(
            f"{count} files would be removed ({listed(survey.gone, most=3)}); at most "
            f"{limits.deletions} may be, unless said so",
            code="too_many_deletions",
            next=f"if they shall go: baton commit --max-deletions {count} … "
            "(always: max_deletions under [commit] in baton.toml)",
        )


def require_room(view: TreeView, survey: Survey) -> None:
    """Raise Refused where a file takes a directory's place, or the reverse, and both matter."""
    hidden = view.obstacles(survey.present.keys(), survey.gone)
    if hidden:
        raise Refused(
            f"this would remove {listed(hidden)} too, which is not named",
            code="obstacle",
            next=command([*survey.paths, *hidden]),
        )


def require_free(tree: WorkingTree, view: TreeView, survey: Survey) -> None:
    """Raise Refused where others have staged what an index cannot hold beside a new file.

    A file below its path, or one where it needs a directory: git would drop the other entry.
    """
    new = [path for path in survey.present if path not in survey.staged]
    above = {a for path in new for a in parents(path) if not view.names(a)}
    hidden = find_obstacles(new, list_staged(tree, [*new, *above]))
    hidden = [path for path in hidden if path not in survey.gone]
    if hidden:
        raise Refused(
            f"somebody has staged {listed(hidden)}, and the index cannot hold both",
            code="obstacle",
            next=f"if that is out of date: git rm --cached -- {' '.join(map(shown, hidden[:8]))}",
        )


def require_tracked(tree: WorkingTree, view: TreeView, survey: Survey) -> None:
    """Raise Refused for new files that git ignores, as ``git add`` does."""
    new = [
        path for path in survey.present if path not in survey.staged and view.entry(path) is None
    ]
    ignored = find_ignored(tree, new)
    if ignored:
        raise Refused(
            f"ignored by git: {listed(ignored)}",
            code="ignored",
            next=f"if it shall be committed: git add -f -- {' '.join(map(shown, ignored[:8]))}",
        )


def require_small(tree: WorkingTree, survey: Survey, limits: Limits) -> None:
    """Raise Refused for a file over the size limit.

    One that a filter such as LFS replaces by something else is not judged by its size on disk.
    """
    large = [path for path, size in survey.present.items() if size > limits.file_size]
    filtered = find_filtered(tree, large)
    too_large = [path for path in large if path not in filtered]
    if too_large:
        sizes = ", ".join(
            f"{shown(path)} ({survey.present[path]:,} bytes)" for path in too_large[:5]
        )
        raise Refused(
            f"larger than {limits.file_size:,} bytes: {sizes}; what is committed stays in the "
            "history for ever",
            code="too_large",
            next=f"if it shall go in: baton commit --max-file-size "
            f"{max(survey.present[path] for path in too_large)} … "
            "(always: max_file_size under [commit] in baton.toml)",
        )
