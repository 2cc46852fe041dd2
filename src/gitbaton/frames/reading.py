"""Deltas as they are read from their commits: only what a delta has, and no more than it may.

Whoever can push a delta can push any tree under its name, a few small objects that unfold to
billions of files among them. So nothing is walked: the header and the streams are looked up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from gitbaton.core.ids import Oid
from gitbaton.frames.delta import HEADER, STREAMS, Delta, read_delta
from gitbaton.frames.limits import DEFAULT, FILE_LIMIT, Limits, share_out
from gitbaton.frames.refs import Pair
from gitbaton.git.objects import TreeEntry, decode_commit, decode_tree
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.repository import CoordinationRepository
from gitbaton.git.sizes import sizes
from gitbaton.git.trees import FILE_MODES

_TOO_MUCH = "the streams of this delta have more than {} bytes: this one is not read"
_TOO_LARGE = f"a stream writes at most {FILE_LIMIT} bytes a frame: it is not read"

_Files: TypeAlias = Mapping[str, TreeEntry]


def read_deltas(
    repository: CoordinationRepository,
    commits: Sequence[tuple[Pair, Oid]],
    limits: Limits = DEFAULT,
) -> list[Delta]:
    """Return the delta that each commit holds, within ``limits``: those of the world's frame.

    The same commits give the same, in whatever order. Raises MissingObject where one is not here.
    """
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
    wants = [min(_size_of_streams(files, known), limits.delta) for files in listed]
    order = sorted(range(len(commits)), key=lambda at: commits[at])
    shares = dict(zip(order, share_out([wants[at] for at in order], limits.frame), strict=True))
    return [
        _read(objects, pair, files, known, limits, shares[at])
        for at, ((pair, _), files) in enumerate(zip(commits, listed, strict=True))
    ]


def _read(
    objects: ObjectStore,
    pair: Pair,
    files: _Files,
    known: Mapping[Oid, int],
    limits: Limits,
    share: int,
) -> Delta:
    """Read one delta. ``share``: how many bytes of its streams there is room for."""
    wanted: dict[str, Oid] = {}
    unread: dict[str, str] = {}
    total = 0
    # The header first; a stream that wrote little is not cut for one that wrote much.
    for path in sorted(files, key=lambda path: (path != HEADER, known[files[path].oid], path)):
        # A file one byte too large is how a worker shows that its stream wrote more.
        size = known[files[path].oid]
        if size > FILE_LIMIT + 1:
            unread[path] = _TOO_LARGE
        elif total + size > limits.delta + FILE_LIMIT:
            unread[path] = _TOO_MUCH.format(limits.delta)
        else:
            total += size
            wanted[path] = files[path].oid
    bodies = [body for _, body in objects.read_many(list(wanted.values()))]
    streams = [path for path in wanted if path != HEADER]
    room = share_out([min(known[files[path].oid], limits.stream) for path in streams], share)
    return read_delta(
        pair.frame,
        pair.worker,
        dict(zip(wanted, bodies, strict=True)),
        unread,
        dict(zip(streams, room, strict=True)),
    )


def _size_of_streams(files: _Files, known: Mapping[Oid, int]) -> int:
    return sum(known[entry.oid] for path, entry in files.items() if path != HEADER)


def _open(objects: ObjectStore, trees: Sequence[Oid]) -> list[dict[str, TreeEntry]]:
    return [
        {
            entry.name.decode("utf-8", "surrogateescape"): entry
            for entry in decode_tree(body, objects.format)
        }
        for _, body in objects.read_many(trees)
    ]
