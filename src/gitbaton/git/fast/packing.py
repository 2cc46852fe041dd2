"""Which objects a server may lack for a push, as a pack.

A record's commit and what it changed are a few small objects: they are read and packed here. For
work with real history git packs, since it finds deltas.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from gitbaton.core.errors import GitFailed
from gitbaton.core.ids import Oid
from gitbaton.git.fast.trouble import Unfit
from gitbaton.git.objects import (
    Format,
    Kind,
    RawObject,
    TreeEntry,
    decode_commit,
    decode_tree,
)
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.packfile import encode_pack
from gitbaton.git.runner import Git

_MOST_COMMITS, _MOST_OBJECTS, _MOST_BYTES = 64, 512, 256 * 1024
_MOST_PACKED = 32 * 1024 * 1024  # bytes: beyond it plain git streams, where we hold all in memory
_GENERATIONS, _WIDTH = 4, 256  # how far ancestors of known commits are looked at
_GITLINK = 0o160000


class Packer:
    """Makes packs from one repository."""

    def __init__(self, git: Git, objects: ObjectStore) -> None:
        self._git, self._objects = git, objects

    @property
    def objects(self) -> ObjectStore:
        """What the packs are made from."""
        return self._objects

    @property
    def format(self) -> Format:
        """The object format of the repository."""
        return self._objects.format

    def pack_small(
        self, tips: Sequence[Oid], *, there: Collection[Oid], near: Iterable[Oid] = ()
    ) -> bytes | None:
        """Return a pack with all that ``tips`` need and that the commits ``there`` do not reach.

        ``near``: those of ``there`` that the tips probably build on. None if it would be large, or
        hold what is not plainly commits, trees and blobs that are here.
        """
        found = self.collect_small(tips, there=there, near=near)
        return None if found is None else encode_pack(found, self.format)

    def collect_small(
        self, tips: Sequence[Oid], *, there: Collection[Oid], near: Iterable[Oid] = ()
    ) -> Sequence[RawObject] | None:
        """Return the objects of such a pack, as ``pack_small`` does."""
        return _Walk(self._objects, there, near).run(tips)

    def pack_history(
        self, tips: Sequence[Oid], *, there: Collection[Oid], options: Sequence[str] = ()
    ) -> bytes:
        """Return such a pack made by ``git pack-objects *options``, with deltas.

        Raises Unfit where plain git would do better: too much for memory, or objects that are
        not here.
        """
        here = sorted(set(there) - self._objects.missing(there))
        revisions = "".join(f"{oid}\n" for oid in (*tips, *(f"^{oid}" for oid in here))).encode()
        try:
            size = self._git.run(
                "rev-list", "--objects", "--disk-usage", "--stdin", stdin=revisions
            )
            if int(size.text) > _MOST_PACKED:
                raise Unfit(f"{size.text} bytes are better streamed", lasting=False)
            return self._git.run(
                "pack-objects", "--revs", "--stdout", "-q", *options, stdin=revisions
            ).stdout
        except GitFailed as error:
            raise Unfit(error.message, lasting=False) from error


class _Walk:
    """One walk from new commits back to known ones, within limits."""

    def __init__(self, objects: ObjectStore, there: Collection[Oid], near: Iterable[Oid]) -> None:
        self._objects = objects
        self._there = there
        self._ancestors: set[Oid] = set()
        self._edge = list(near)
        self._found: dict[Oid, RawObject] = {}
        self._bytes = 0

    def run(self, tips: Sequence[Oid]) -> list[RawObject] | None:
        """Return the objects to send, commits first; None if they are many or large."""
        try:
            for tree, bases in self._commits(tips):
                self._diff(tree, bases)
        except _TooMuch:
            return None
        return list(self._found.values())

    def _commits(self, tips: Sequence[Oid]) -> list[tuple[Oid, list[Oid]]]:
        """Take the new commits; return the tree of each, and the trees of its parents."""
        trees: dict[Oid, Oid] = {}
        parents: dict[Oid, tuple[Oid, ...]] = {}
        level = self._unknown(tips)
        while level:
            if len(parents) + len(level) > _MOST_COMMITS:
                raise _TooMuch
            following: list[Oid] = []
            for oid, (kind, body) in zip(level, self._read(level), strict=True):
                if kind != "commit":  # a tag, or something odder: git knows
                    raise _TooMuch
                self._take(oid, kind, body)
                commit = decode_commit(body)
                trees[oid], parents[oid] = commit.tree, commit.parents
                following += commit.parents
            level = self._unknown(oid for oid in following if oid not in parents)
        outside = {p for ps in parents.values() for p in ps if p not in trees}
        trees.update(self._trees_of(sorted(outside)))
        # Parents first, so that what a parent brings is not taken again by its child.
        return [(trees[c], [trees[p] for p in parents[c] if p in trees]) for c in reversed(parents)]

    def _unknown(self, commits: Iterable[Oid]) -> list[Oid]:
        """Return those of ``commits`` that the server may lack, as far as we care to look."""
        left = [oid for oid in dict.fromkeys(commits) if not self._is_there(oid)]
        for _ in range(_GENERATIONS):
            if not left or not self._edge or len(self._edge) > _WIDTH:
                break
            self._deepen()
            left = [oid for oid in left if not self._is_there(oid)]
        return left

    def _is_there(self, oid: Oid) -> bool:
        return oid in self._there or oid in self._ancestors

    def _deepen(self) -> None:
        """What the server has, it has with its history: step one generation back."""
        found = self._objects.find_many(self._edge)
        parents = {
            parent
            for item in found
            if item is not None and item[0] == "commit"
            for parent in decode_commit(item[1]).parents
        }
        self._edge = sorted(parents - self._ancestors)
        self._ancestors |= parents

    def _trees_of(self, commits: Sequence[Oid]) -> Mapping[Oid, Oid]:
        found = self._objects.find_many(commits)
        return {
            oid: decode_commit(item[1]).tree
            for oid, item in zip(commits, found, strict=True)
            if item is not None and item[0] == "commit"
        }

    def _diff(self, tree: Oid, bases: Sequence[Oid]) -> None:
        """Take ``tree`` and what is below, but for what stands at the same place in a base."""
        level: list[tuple[Oid, list[Oid]]] = [(tree, list(bases))]
        while level := [pair for pair in level if pair[0] not in self._found]:
            mine = self._read([oid for oid, _ in level])
            others = self._entries({base for _, some in level for base in some})
            below: list[tuple[Oid, list[Oid]]] = []
            blobs: list[Oid] = []
            for (oid, some), (kind, body) in zip(level, mine, strict=True):
                if oid in some:
                    continue
                self._take(oid, kind, body)
                known = [others[base] for base in some if base in others]
                for entry in decode_tree(body, self._objects.format):
                    same = [other[entry.name] for other in known if entry.name in other]
                    if entry.mode == _GITLINK or any(old.oid == entry.oid for old in same):
                        continue
                    if entry.is_tree:
                        below.append((entry.oid, [old.oid for old in same if old.is_tree]))
                    else:
                        blobs.append(entry.oid)
            self._take_blobs(blobs)
            level = below

    def _take_blobs(self, oids: Sequence[Oid]) -> None:
        wanted = [oid for oid in dict.fromkeys(oids) if oid not in self._found]
        for oid, (kind, body) in zip(wanted, self._read(wanted), strict=True):
            self._take(oid, kind, body)

    def _entries(self, trees: Iterable[Oid]) -> dict[Oid, dict[bytes, TreeEntry]]:
        wanted = sorted(trees)
        found = self._objects.find_many(wanted)
        return {
            oid: {entry.name: entry for entry in decode_tree(item[1], self._objects.format)}
            for oid, item in zip(wanted, found, strict=True)
            if item is not None
        }

    def _read(self, oids: Sequence[Oid]) -> list[tuple[Kind, bytes]]:
        found = self._objects.find_many(oids)
        if None in found:
            raise _TooMuch  # not here: git will say so, and nothing is sent
        return [item for item in found if item is not None]

    def _take(self, oid: Oid, kind: Kind, body: bytes) -> None:
        self._bytes += len(body)
        if len(self._found) >= _MOST_OBJECTS or self._bytes > _MOST_BYTES:
            raise _TooMuch
        self._found[oid] = RawObject(kind, body, oid)


class _TooMuch(Exception):
    """More than is good to pack here, or something that only git knows how to pack."""
