"""Makes the tree of a commit: the tip's, with the named files as they are on disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from gitbaton.core.errors import Refused
from gitbaton.core.ids import Oid
from gitbaton.git.entries import EXECUTABLE, FILE, GITLINK, SYMLINK, Entry
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.privateindex import hash_files
from gitbaton.git.sharedindex import NOTHING
from gitbaton.git.treeview import TreeView, parents
from gitbaton.git.workingtree import WorkingTree
from gitbaton.workspace.safecommit import guards
from gitbaton.workspace.safecommit.guards import Limits
from gitbaton.workspace.safecommit.naming import listed
from gitbaton.workspace.safecommit.survey import Survey, Surveyor


class Draft(Struct, frozen=True):
    """What would be committed: the files as they were looked at, what changes, and the tree."""

    survey: Survey
    changes: Mapping[bytes, Entry | None]
    root: Oid


class Drafter(Struct, frozen=True, kw_only=True):
    """Drafts commits from ``tree``. ``file_modes``, ``ignore_case``: as in CommitSettings."""

    tree: WorkingTree
    objects: ObjectStore
    limits: Limits
    recursive: bool
    file_modes: bool
    ignore_case: bool

    def draft(self, paths: tuple[bytes, ...], view: TreeView) -> Draft:
        """Return the draft of a commit of ``paths`` on the tree ``view``.

        Its objects are written. Raises Refused, with nothing changed.
        """
        survey = Surveyor(self.tree, view, ignore_case=self.ignore_case).look(
            paths, recursive=self.recursive
        )
        guards.require_merged(survey)
        guards.require_current(self.tree, survey)
        guards.require_mended(self.tree, survey)
        guards.require_in_cone(survey)
        guards.require_looked_at(survey)
        guards.require_tracked(self.tree, view, survey)
        guards.require_few_gone(survey, self.limits)
        guards.require_small(self.tree, survey, self.limits)
        guards.require_room(view, survey)
        guards.require_free(self.tree, view, survey)
        entries: dict[bytes, Entry | None] = dict.fromkeys(survey.gone)
        entries.update(self._hash(survey, view))
        changes = {path: entry for path, entry in entries.items() if entry != view.entry(path)}
        root, made = view.graft(changes)
        self.objects.write(made)
        return Draft(survey, changes, root)

    def _hash(self, survey: Survey, view: TreeView) -> Mapping[bytes, Entry]:
        if not survey.present:
            return {}
        known: dict[bytes, Entry] = {}
        for path in survey.present:
            entry = self._known(path, survey, view)
            if entry is not None:
                known[path] = entry
            for above in (b"", *parents(path)):
                # Where a sparse checkout has no .gitattributes git reads those in the index.
                attributes = above + b"/.gitattributes" if above else b".gitattributes"
                rules = view.entry(attributes)
                if rules is not None and rules.mode in (FILE, EXECUTABLE):
                    known.setdefault(attributes, rules)
        directory = self.tree.state / "commit"
        return hash_files(self.tree, list(survey.present), known, directory=directory)

    def _known(self, path: bytes, survey: Survey, view: TreeView) -> Entry | None:
        """Return the entry that git shall know of for ``path``, None for a new file."""
        standing = view.entry(path)
        staged = survey.staged.get(path, NOTHING).entry
        if standing is None or standing.mode not in _COMMITTABLE:
            return staged
        if not self.file_modes and staged is not None:
            # `git update-index --chmod` is all that says so where the file system has no modes.
            return Entry(staged.mode, standing.oid)
        return standing


_COMMITTABLE: Final = frozenset({FILE, EXECUTABLE, SYMLINK, GITLINK})


def refuse_nothing(draft: Draft) -> Refused:
    """Return the refusal of a commit that would change nothing."""
    paths = draft.survey.paths
    be = "is" if len(paths) == 1 else "are"
    why = f"{listed(paths)} {be} as in the last commit" if paths else "neither path nor message"
    return Refused(
        f"nothing to commit: {why}",
        code="nothing",
        next="git status --short",
    )
