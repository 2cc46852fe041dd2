"""Deltas as they are read from their commits: only what a delta has, and no more than it may.

Whoever can push a delta can push any tree under its name, a few small objects that unfold to
billions of files among them. So nothing is walked: the header and the streams are looked up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from gitbaton.core.ids import Oid
from gitbaton.frames.codec import FILE_LIMIT
from gitbaton.frames.delta import HEADER, STREAMS, Delta, read_delta
from gitbaton.frames.refs import Pair
from gitbaton.git.objects import TreeEntry, decode_commit, decode_tree
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.repository import CoordinationRepository
from gitbaton.git.sizes import sizes
from gitbaton.git.trees import FILE_MODES

DELTA_LIMIT: Final = 256 * 1024 * 1024  # bytes of all that one delta's streams wrote

_TOO_MUCH = f"the streams of a delta have at most {DELTA_LIMIT} bytes: this one is not read"
_TOO_LARGE = f"a stream writes at most {FILE_LIMIT} bytes a frame: it is not read"


def read_deltas(
    repository: CoordinationRepository, commits: Sequence[tuple[Pair, Oid]]
) -> list[Delta]:
    """Return the delta that each commit holds. Raises MissingObject where one is not here."""
    objects = repository.objects
    heads = objects.read_many([commit for _, commit in commits])
    tops = _open(objects, [decode_commit(head).tree for _, head in heads])
    inner = [top.pop(STREAMS[:-1], None) for top in tops]
    found = iter(_open(objects, [one.oid for one in inner if one is not None and one.is_tree]))
    listed: list[dict[str, TreeEntry]] = []
    for top, below in zip(tops, inner, strict=True):
        if below is not None and below.is_tree:
            top |= {f"{STREAMS}{name}": entry for name, entry in next(found).items()}
        # No directories, and no gitlinks: their objects are in another repository.
        listed.append({path: entry for path, entry in top.items() if entry.mode in FILE_MODES})
    known = sizes(repository, (entry.oid for files in listed for entry in files.values()))
    return [
        _read(objects, pair, files, known) for (pair, _), files in zip(commits, listed, strict=True)
    ]


def _read(
    objects: ObjectStore, pair: Pair, files: Mapping[str, TreeEntry], known: Mapping[Oid, int]
) -> Delta:
    wanted: dict[str, Oid] = {}
    unread: dict[str, str] = {}
    total = 0
    for path, entry in sorted(files.items(), key=lambda item: (item[0] != HEADER, item[0])):
        # A file one byte too large is how a worker shows that its stream wrote more.
        size = known[entry.oid]
        if size > FILE_LIMIT + 1:
            unread[path] = _TOO_LARGE
        elif total + size > DELTA_LIMIT:
            unread[path] = _TOO_MUCH
        else:
            total += size
            wanted[path] = entry.oid
    bodies = objects.read_many(list(wanted.values()))
    return read_delta(
        pair.frame,
        pair.worker,
        {path: body for path, (_, body) in zip(wanted, bodies, strict=True)},
        unread,
    )


def _open(objects: ObjectStore, trees: Sequence[Oid]) -> list[dict[str, TreeEntry]]:
    return [
        {
            entry.name.decode("utf-8", "surrogateescape"): entry
            for entry in decode_tree(body, objects.format)
        }
        for _, body in objects.read_many(trees)
    ]
