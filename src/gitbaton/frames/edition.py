"""A frame as a commit: made from the frame before and what was gathered, and made again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from gitbaton.core.ids import Oid
from gitbaton.frames.codec import show
from gitbaton.frames.delta import DETAIL, Delta
from gitbaton.frames.frame import FailedStream, Frame, Stray, next_frame
from gitbaton.frames.gathering import Aside, Why
from gitbaton.frames.merge import merge
from gitbaton.frames.refs import Pair
from gitbaton.frames.rules import RuleTable
from gitbaton.frames.scene import Scene
from gitbaton.git.objects import (
    Commit,
    Person,
    RawObject,
    encode_commit,
    make_object,
)
from gitbaton.git.trees import edit_tree
from gitbaton.store.gitengine.layout import escape, unescape

_ASIDE = "Baton-Set-Aside"
_ASIDE_LINE = re.compile(rf"{_ASIDE}: (repeated|foreign) ([0-9]+)/(\S+)")


@dataclass(frozen=True, slots=True)
class Edition:
    """A merge that was made: the new record, and every file that changes with it."""

    frame: Frame
    files: Mapping[str, bytes | None]


def make_edition(
    scene: Scene,
    deltas: Sequence[Delta],
    aside: Sequence[Aside],
    *,
    roster: Mapping[str, int],
    missing: Sequence[str],
    astray: Sequence[Stray] = (),
    failures: bool = True,
) -> Edition:
    """Merge ``deltas`` into ``scene``. The same arguments give the same bytes (I7).

    ``failures``: the record lists the streams that did not end well. Older versions had no such
    list, so a record without one is made again without.
    """
    touched = {
        op.doc for delta in deltas for ops in delta.streams.values() for op in ops.good.values()
    }
    documents = scene.read_many(touched)
    result = merge(
        scene.number,
        deltas,
        RuleTable(scene.config.rules),
        documents.get,
        room=scene.config.limits.document,
    )
    new = [one for one in astray if one not in scene.frame.astray]
    if aside or new:
        reports = (*(one.report() for one in aside), *(one.report() for one in new))
        result = msgspec.structs.replace(result, quarantined=result.quarantined + reports)
    frame, files = next_frame(
        scene.frame,
        result,
        roster=roster,
        missing=tuple(missing),
        failed=tuple(_failures(deltas)) if failures else (),
        astray=tuple(astray),
    )
    return Edition(frame, files)


def set_in_type(
    scene: Scene,
    edition: Edition,
    taken: Mapping[Pair, Oid],
    aside: Sequence[Aside],
    author: Person,
) -> tuple[Oid, list[RawObject]]:
    """Return the commit of ``edition`` and the objects to write for it.

    Its parents: the commit it was merged upon, what was merged (``taken``) in the order of the
    record, what was set aside in the order of the message's trailers.
    """
    objects = scene.objects
    made: list[RawObject] = []
    edits: dict[str, Oid | None] = {}
    for name, body in edition.files.items():
        if body is None:
            edits[name] = None
        else:
            blob = make_object("blob", body, objects.format)
            made.append(blob)
            edits[name] = blob.oid
    tree, trees = edit_tree(objects, scene.tree, edits)
    merged = [taken[Pair(*pair)] for pair in edition.frame.merged]
    body = encode_commit(
        Commit(
            tree,
            (scene.commit, *merged, *(one.commit for one in aside)),
            author,
            _message(edition.frame, aside),
        )
    )
    commit = make_object("commit", body, objects.format)
    return commit.oid, [*made, *trees, commit]


def asides_of(commit: Commit, merged: int) -> list[Aside]:
    """Return what a frame's commit set aside; it has ``merged`` deltas before them."""
    named = _ASIDE_LINE.findall(commit.message)
    return [
        Aside(Pair(int(number), unescape(worker) or worker), oid, _why(why))
        for (why, number, worker), oid in zip(named, commit.parents[1 + merged :], strict=False)
    ]


def _failures(deltas: Iterable[Delta]) -> Iterator[FailedStream]:
    """Yield the streams that did not end well, in order, fit to be shown."""
    for header in sorted((d.header for d in deltas), key=lambda each: (each.frame, each.worker)):
        for name, run in sorted(header.streams.items()):
            if run.outcome != "ok":
                words = show(run.detail, DETAIL)
                yield FailedStream(header.frame, header.worker, name, run.outcome, words)


def _message(frame: Frame, aside: Sequence[Aside]) -> str:
    counts = frame.counts
    lines = [
        f"frame {frame.number}: {counts.ops} ops from {len(frame.merged)} deltas",
        "",
        f"Baton-Frame: {frame.number}",
    ]
    lines += [f"{_ASIDE}: {one.why} {one.pair.frame}/{escape(one.pair.worker)}" for one in aside]
    return "\n".join(lines)


def _why(word: str) -> Why:
    return "repeated" if word == "repeated" else "foreign"
