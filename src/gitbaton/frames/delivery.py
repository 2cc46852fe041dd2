"""A delta as a commit: its files, and the world that its agents saw as the only parent (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gitbaton import __version__
from gitbaton.core.ids import Nonce, Oid
from gitbaton.frames.delta import Header, StreamRun, write_delta
from gitbaton.frames.refs import Pair
from gitbaton.git.objects import (
    FILE_MODE,
    TREE_MODE,
    Commit,
    Format,
    Person,
    RawObject,
    TreeEntry,
    encode_commit,
    encode_tree,
    make_object,
)

_SUBJECT = re.compile(r"delta: \S+ at frame ([0-9]+),")


def pack_delta(
    pair: Pair,
    world: Oid,
    runs: Mapping[str, StreamRun],
    written: Mapping[str, bytes],
    author: Person,
    nonce: Nonce,
    format: Format,
    *,
    refused: str = "",
) -> tuple[Oid, list[RawObject]]:
    """Return the commit of a delta made from the commit ``world``, and the objects to write.

    ``nonce`` makes it unique: two workers of one name must never push one and the same object,
    or both would take it for their own. ``refused``: see ``Header``.
    """
    header = Header(
        frame=pair.frame,
        worker=pair.worker,
        streams=runs,
        versions={"gitbaton": __version__},
        refused=refused,
    )
    made: list[RawObject] = []
    tree = _tree(write_delta(header, written), format, made)
    ops = sum(body.count(b"\n") for body in written.values())
    message = (
        f"delta: {pair.worker} at frame {pair.frame}, {ops} ops of {len(runs)} streams\n\n"
        f"Baton-Delta: {nonce}"
    )
    body = encode_commit(Commit(tree, (world,), author, message))
    commit = make_object("commit", body, format)
    return commit.oid, [*made, commit]


def delta_number(subject: str) -> int | None:
    """Return the frame of the delta whose commit has this subject, None if it is none."""
    match = _SUBJECT.match(subject)
    return int(match[1]) if match else None


def _tree(files: Mapping[str, bytes], format: Format, made: list[RawObject]) -> Oid:
    """Add the objects of ``files`` (one directory deep) to ``made``; return their tree."""
    here: list[TreeEntry] = []
    below: dict[str, dict[str, bytes]] = {}
    for path, body in files.items():
        first, slash, rest = path.partition("/")
        if slash:
            below.setdefault(first, {})[rest] = body
        else:
            blob = make_object("blob", body, format)
            made.append(blob)
            here.append(TreeEntry(FILE_MODE, first.encode(), blob.oid))
    for name, inner in below.items():
        here.append(TreeEntry(TREE_MODE, name.encode(), _tree(inner, format, made)))
    tree = make_object("tree", encode_tree(here), format)
    made.append(tree)
    return tree.oid
