"""The board branch as the engine reads it: which records are parked, which are marked live.

``tasks/<shard>/<name>.json`` is a parked record: there the branch is the truth.
``live/<name>.json`` marks a record that has a ref and shows its last known state: there the ref is
the truth. All else on the branch is made from these for people and programs, and never read back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gitbaton.core.errors import DamagedRecord
from gitbaton.core.ids import Oid
from gitbaton.git.objects import Commit, Kind, TreeEntry, decode_commit, decode_tree
from gitbaton.git.objectstore import MissingObject, ObjectStore
from gitbaton.git.trees import FILE_MODES, walk_files
from gitbaton.store.gitengine.layout import live_path, unescape
from gitbaton.store.gitengine.shelves import Library, Parked, is_parked_file

_SHARD: Final = re.compile(rb"[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Board:
    """One board commit: the marks of live records by name, and what is parked, read when wanted."""

    tip: Oid | None = None
    tree: Oid | None = None
    parents: Sequence[Oid] = ()
    live: Mapping[str, Oid] = field(default_factory=dict)
    parked: Parked = field(default_factory=Parked)
    objects: ObjectStore | None = field(default=None, repr=False, compare=False)

    @property
    def strange(self) -> list[str]:
        """The paths below ``tasks/`` and ``live/`` that are no record's, from all its trees."""
        if self.tree is None or self.objects is None:
            return []
        return [path for path, _ in walk_files(self.objects, self.tree) if _is_strange(path)]


def read_board(objects: ObjectStore, library: Library, tip: Oid | None) -> Board:
    """Return the board at the commit ``tip`` (None: there is no board yet).

    One conversation and four objects, however much is parked. Raises DamagedRecord when the
    branch is not a board at all, MissingObject when it is here in part.
    """
    if tip is None:
        return Board()
    asked = [tip, f"{tip}^{{tree}}", f"{tip}:tasks", f"{tip}:live"]
    commit, root, tasks, live = objects.find_many(asked)
    if commit is None:
        raise MissingObject(tip)
    if commit[0] != "commit":
        raise DamagedRecord(f"the board branch names a {commit[0]}", next="baton doctor")
    head = _decode(commit[1])
    if root is None:
        raise MissingObject(head.tree)
    for entry in _entries(objects, root):
        if (entry.name, None) in ((b"tasks", tasks), (b"live", live)):
            raise MissingObject(entry.oid)  # it is named, so it is no board without it
    shards = {
        entry.name.decode(): entry.oid
        for entry in _entries(objects, tasks)
        if entry.is_tree and _SHARD.fullmatch(entry.name)
    }
    marks: dict[str, Oid] = {}
    for entry in _entries(objects, live):
        name = _marked(entry.name.decode("utf-8", "surrogateescape"))
        if name is not None and entry.mode in FILE_MODES:
            marks[name] = entry.oid
    return Board(tip, head.tree, head.parents, marks, Parked(library, shards), objects)


def _is_strange(path: str) -> bool:
    directory, _, file = path.rpartition("/")
    if directory.startswith("tasks/"):
        return not is_parked_file(directory.removeprefix("tasks/"), file)
    return directory == "live" and _marked(file) is None


def _marked(file: str) -> str | None:
    """Return the name of the record that ``live/<file>`` marks, None if it is no record's."""
    name = unescape(file.removesuffix(".json")) if file.endswith(".json") else None
    return name if name is not None and live_path(name) == f"live/{file}" else None


def _decode(body: bytes) -> Commit:
    try:
        return decode_commit(body)
    except ValueError as error:
        raise DamagedRecord(f"the board's commit: {error}", next="baton doctor") from error


def _entries(objects: ObjectStore, found: tuple[Kind, bytes] | None) -> list[TreeEntry]:
    if found is None or found[0] != "tree":
        return []
    return decode_tree(found[1], objects.format)
