"""Edits of a tree: change some files, keep everything else, write only what is new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitbaton.core.ids import Oid
from gitbaton.git.objects import (
    FILE_MODE,
    TREE_MODE,
    RawObject,
    TreeEntry,
    decode_tree,
    encode_tree,
    make_object,
)
from gitbaton.git.objectstore import ObjectStore

FILE_MODES = frozenset({FILE_MODE, 0o100755, 0o100664, 0o120000})


def edit_tree(
    objects: ObjectStore, root: Oid | None, edits: Mapping[str, Oid | None]
) -> tuple[Oid, list[RawObject]]:
    """Return the tree that ``root`` becomes by ``edits``, and the trees to write for it.

    ``edits`` maps a path to the blob that shall stand there (None: nothing shall). Directories
    come and go as needed. ``root`` None is the empty tree.
    """
    made: list[RawObject] = []
    entries = _edit(objects, root, {tuple(p.split("/")): oid for p, oid in edits.items()}, made)
    top = make_object("tree", encode_tree(entries), objects.format)
    made.append(top)
    return top.oid, made


def walk_files(objects: ObjectStore, root: Oid) -> Iterator[tuple[str, Oid]]:
    """Yield (path, blob id) of every regular file below the tree ``root``.

    Level by level, so that the objects of a level are asked for together. Names that are not
    UTF-8 come with surrogate escapes.
    """
    level = [("", root)]
    while level:
        bodies = objects.read_many([oid for _, oid in level])
        following: list[tuple[str, Oid]] = []
        for (prefix, _), (_, body) in zip(level, bodies, strict=True):
            for entry in decode_tree(body, objects.format):
                path = prefix + entry.name.decode("utf-8", "surrogateescape")
                if entry.is_tree:
                    following.append((f"{path}/", entry.oid))
                elif entry.mode in FILE_MODES:  # no gitlink: its object is in another repository
                    yield path, entry.oid
        level = following


def _edit(
    objects: ObjectStore,
    tree: Oid | None,
    edits: Mapping[tuple[str, ...], Oid | None],
    made: list[RawObject],
) -> list[TreeEntry]:
    entries: dict[bytes, TreeEntry] = {}
    if tree is not None:
        _, body = objects.read(tree)
        entries = {entry.name: entry for entry in decode_tree(body, objects.format)}
    below: dict[str, dict[tuple[str, ...], Oid | None]] = {}
    for path, oid in edits.items():
        name = path[0].encode("utf-8", "surrogateescape")
        if len(path) > 1:
            below.setdefault(path[0], {})[path[1:]] = oid
        elif oid is None:
            entries.pop(name, None)
        else:
            entries[name] = TreeEntry(FILE_MODE, name, oid)
    for part, inner in below.items():
        name = part.encode("utf-8", "surrogateescape")
        old = entries.get(name)
        children = _edit(objects, old.oid if old and old.is_tree else None, inner, made)
        if children:
            subtree = make_object("tree", encode_tree(children), objects.format)
            made.append(subtree)
            entries[name] = TreeEntry(TREE_MODE, name, subtree.oid)
        else:
            entries.pop(name, None)
    return list(entries.values())
