"""The tip that a commit is built on: HEAD as it is under the lock."""

from __future__ import annotations

from msgspec import Struct

from gitbaton.core.ids import Oid
from gitbaton.git.committing import Made, read_made
from gitbaton.git.head import read_branch
from gitbaton.git.objects import make_object
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.treeview import TreeView
from gitbaton.git.workingtree import WorkingTree


class Base(Struct, frozen=True):
    """Where HEAD stands: on ``branch`` (None: detached), at ``tip`` (None: no commit yet).

    ``view``: the tip's tree. ``made``: what the tip says of itself.
    """

    branch: str | None
    tip: Oid | None
    view: TreeView
    made: Made | None

    @property
    def ref(self) -> str:
        """What moves: the branch, or HEAD itself where that is detached."""
        return self.branch or "HEAD"


def read_base(tree: WorkingTree, objects: ObjectStore) -> Base:
    """Return what HEAD of ``tree`` is now."""
    branch = read_branch(tree)
    [found] = objects.find_many(["HEAD"])
    if found is None:
        return Base(branch, None, TreeView(objects, None), None)
    kind, body = found
    made = read_made(body)
    return Base(
        branch, make_object(kind, body, tree.format).oid, TreeView(objects, made.tree), made
    )
