"""A tree by paths: what stands where, and the tree that it becomes when some entries change.

Only the directories on the way are read, each once: the cost does not grow with the repository.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from gitbaton.core.ids import Oid
from gitbaton.git.entries import DIRECTORY, Entry
from gitbaton.git.objects import RawObject, TreeEntry, decode_tree, encode_tree, make_object
from gitbaton.git.objectstore import ObjectStore

Folder = Mapping[bytes, TreeEntry]


class TreeView:
    """The tree ``root`` (None: the empty one). Paths are bytes from its top, without a slash."""

    def __init__(self, objects: ObjectStore, root: Oid | None) -> None:
        self.root = root
        self._objects = objects
        self._folders: dict[Oid, Folder] = {}

    def entry(self, path: bytes) -> Entry | None:
        """Return what stands at ``path``: a file, a link, a submodule, a directory, or None."""
        *above, name = path.split(b"/")
        folder = self._open(self.root)
        for part in above:
            inner = folder.get(part)
            if inner is None or not inner.is_tree:
                return None
            folder = self._open(inner.oid)
        found = folder.get(name)
        return None if found is None else Entry(found.mode, found.oid)

    def names(self, directory: bytes) -> frozenset[bytes]:
        """Return the names in ``directory`` (empty: the top); none where it is no directory."""
        if not directory:
            return frozenset(self._open(self.root))
        found = self.entry(directory)
        if found is None or found.mode != DIRECTORY:
            return frozenset()
        return frozenset(self._open(found.oid))

    def below(self, directory: bytes) -> Iterator[tuple[bytes, Entry]]:
        """Yield every file, link and submodule below ``directory``, with its path from the top."""
        found = self.entry(directory)
        if found is not None and found.mode == DIRECTORY:
            yield from self._walk(directory, found.oid)

    def graft(self, edits: Mapping[bytes, Entry | None]) -> tuple[Oid, list[RawObject]]:
        """Return the tree with ``edits``, and the trees to write for it.

        None removes an entry; directories come and go as needed. What stands in the way of a path
        (a file where a directory is needed, or the reverse) is replaced: ask ``obstacles`` first.
        """
        made: list[RawObject] = []
        split = {tuple(path.split(b"/")): entry for path, entry in edits.items()}
        top = self._graft(self.root, split, made)
        if top is None:
            empty = make_object("tree", b"", self._objects.format)
            made.append(empty)
            return empty.oid, made
        return top, made

    def obstacles(self, present: Collection[bytes], gone: Collection[bytes]) -> list[bytes]:
        """Return what must go for ``present`` to be there, and is not among ``gone``.

        A file that a directory takes the place of, and files in a directory that a file replaces.
        """
        found: set[bytes] = set()
        for path in present:
            found.update(inner for inner, _ in self.below(path))
            for above in parents(path):
                standing = self.entry(above)
                if standing is not None and standing.mode != DIRECTORY:
                    found.add(above)
        return sorted(found - set(gone))

    def _graft(
        self,
        tree: Oid | None,
        edits: Mapping[tuple[bytes, ...], Entry | None],
        made: list[RawObject],
    ) -> Oid | None:
        entries = dict(self._open(tree))
        below: dict[bytes, dict[tuple[bytes, ...], Entry | None]] = {}
        for path, entry in edits.items():
            if len(path) > 1:
                below.setdefault(path[0], {})[path[1:]] = entry
            elif entry is None:
                entries.pop(path[0], None)
            else:
                entries[path[0]] = TreeEntry(entry.mode, path[0], entry.oid)
        for name, inner in below.items():
            if edits.get((name,)) is not None:
                continue  # a file takes the directory's place: all below it goes
            old = entries.get(name)
            oid = self._graft(old.oid if old is not None and old.is_tree else None, inner, made)
            if oid is not None:
                entries[name] = TreeEntry(DIRECTORY, name, oid)
            elif old is not None and old.is_tree:
                del entries[name]
        if not entries:
            return None
        result = make_object("tree", encode_tree(entries.values()), self._objects.format)
        if result.oid != tree:
            made.append(result)
        return result.oid

    def _walk(self, path: bytes, tree: Oid) -> Iterator[tuple[bytes, Entry]]:
        for name, item in self._open(tree).items():
            inner = path + b"/" + name
            if item.is_tree:
                yield from self._walk(inner, item.oid)
            else:
                yield inner, Entry(item.mode, item.oid)

    def _open(self, tree: Oid | None) -> Folder:
        if tree is None:
            return {}
        known = self._folders.get(tree)
        if known is None:
            _, body = self._objects.read(tree)
            known = {entry.name: entry for entry in decode_tree(body, self._objects.format)}
            self._folders[tree] = known
        return known


def parents(path: bytes) -> Iterator[bytes]:
    """Yield the directories above ``path``, the nearest last, without the top."""
    parts = path.split(b"/")
    return (b"/".join(parts[:count]) for count in range(1, len(parts)))
