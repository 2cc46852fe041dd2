"""Copies what the refs of a repository at a path have come to, object by object.

``git fetch`` starts six processes, each of which goes through all refs; what others have done to
records since the last look is a few hundred objects of some hundred bytes. They are read through
one process that stays, checked by their ids, and written as one pack.

What stands on what is kept: of our own objects, one is only there when all that it names is. So
where the walk back meets a commit that we have ourselves, its history is here too, and the walk
ends. It does not end at one that is borrowed from the clone: a fetch of its owner that was ended
leaves commits there without what they name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from gitbaton.core.errors import BatonError
from gitbaton.core.ids import Oid
from gitbaton.git.objects import (
    Commit,
    Kind,
    RawObject,
    TreeEntry,
    decode_commit,
    decode_tree,
    make_object,
)
from gitbaton.git.objectstore import ObjectStore

_MOST_OBJECTS: Final = 4096
_MOST_BYTES: Final = 8 * 1024 * 1024
_GENERATIONS: Final = 32  # a history of code is longer: git finds better ways to bring that
_KIND: Final = 0o170000  # of an entry's mode
_BLOBS: Final = (0o100000, 0o120000)  # files, and links to files; a submodule is somewhere else


def copy_history(tips: Iterable[Oid], *, source: ObjectStore, target: ObjectStore) -> bool:
    """Bring the commits ``tips`` with all that they name; False: nothing was done, git may do it.

    It is left to git where there is much to bring, where the source lacks something (the ref may
    have moved meanwhile), and where a tip is ours already (perhaps without all that it names).
    """
    try:
        wanted = list(dict.fromkeys(tips))
        if target.own(wanted):
            return False
        found = _Copy(source, target).collect(wanted)
        target.write_pack(found)
    except (_Unfit, BatonError, ValueError):
        return False
    return True


class _Copy:
    """One walk from what is wanted back to what is here."""

    def __init__(self, source: ObjectStore, target: ObjectStore) -> None:
        self._source, self._target = source, target
        self._found: dict[Oid, RawObject] = {}
        self._bytes = 0

    def collect(self, tips: Sequence[Oid]) -> list[RawObject]:
        """Return the objects that are not here, each after all that it names."""
        commits, roots = self._commits(tips)
        level: list[tuple[Oid, Sequence[Oid]]] = [
            (commit.tree, [roots[parent] for parent in commit.parents])
            for commit in reversed(commits.values())
        ]
        trees: dict[Oid, None] = {}  # none before a tree that names it
        while level:
            level = self._trees(level, trees)
        blobs = [item for item in self._found.values() if item.kind == "blob"]
        return [*blobs, *(self._found[oid] for oid in (*reversed(trees), *reversed(commits)))]

    def _commits(self, tips: Sequence[Oid]) -> tuple[dict[Oid, Commit], dict[Oid, Oid]]:
        """Return the new commits, no parent before its child, and the tree of each known one."""
        new: dict[Oid, Commit] = {}
        trees: dict[Oid, Oid] = {}
        level = self._take("commit", tips)
        for _ in range(_GENERATIONS):
            if not level:
                return new, trees
            for oid, body in level.items():
                new.pop(oid, None)  # met again from further down: it goes behind that child
                new[oid] = decode_commit(body)
                trees[oid] = new[oid].tree
            named = {p for oid in level for p in new[oid].parents}
            asked = sorted(named - trees.keys())
            ours = sorted(self._target.own(asked))
            for oid, item in zip(ours, self._target.find_many(ours), strict=True):
                if item is not None:
                    trees[oid] = decode_commit(item[1]).tree
            again = {oid: self._found[oid].body for oid in named & new.keys()}
            level = again | self._take("commit", sorted(named - trees.keys()))
        raise _Unfit

    def _trees(
        self, level: Sequence[tuple[Oid, Sequence[Oid]]], trees: dict[Oid, None]
    ) -> list[tuple[Oid, Sequence[Oid]]]:
        """Take trees, and their blobs, but for what stands in a base; return the trees below."""
        changed = {tree: bases for tree, bases in level if tree not in bases}
        self._take("tree", (tree for tree in changed if tree not in self._found))
        bases_of = self._entries({base for bases in changed.values() for base in bases})
        blobs: dict[Oid, None] = {}
        below: list[tuple[Oid, Sequence[Oid]]] = []
        for tree, bases in changed.items():
            trees.pop(tree, None)  # met again from further down: it goes behind that one
            trees[tree] = None
            before = [bases_of[base] for base in bases if base in bases_of]
            for entry in decode_tree(self._found[tree].body, self._source.format):
                same = [known[entry.name].oid for known in before if entry.name in known]
                if entry.is_tree:
                    below.append((entry.oid, same))
                elif entry.mode & _KIND in _BLOBS and entry.oid not in same:
                    blobs[entry.oid] = None
        self._take("blob", (oid for oid in blobs if oid not in self._found))
        return below

    def _entries(self, trees: Iterable[Oid]) -> dict[Oid, Mapping[bytes, TreeEntry]]:
        names = sorted(trees)
        found = self._source.find_many(names)
        return {
            oid: {entry.name: entry for entry in decode_tree(item[1], self._source.format)}
            for oid, item in zip(names, found, strict=True)
            if item is not None and item[0] == "tree"
        }

    def _take(self, kind: Kind, oids: Iterable[Oid]) -> dict[Oid, bytes]:
        """Read objects of the source; return their contents by id."""
        names = list(oids)
        if len(self._found) + len(names) > _MOST_OBJECTS:
            raise _Unfit
        bodies: dict[Oid, bytes] = {}
        for oid, item in zip(names, self._source.find_many(names), strict=True):
            if item is None or item[0] != kind:
                raise _Unfit
            taken = make_object(kind, item[1], self._source.format)
            self._bytes += len(taken.body)
            if taken.oid != oid or self._bytes > _MOST_BYTES:
                raise _Unfit
            self._found[oid], bodies[oid] = taken, taken.body
        return bodies


class _Unfit(Exception):
    """Too much, or not whole, or not plain: git does it, or says what is wrong."""
