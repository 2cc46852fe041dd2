"""Every frame merged anew, by other code: documents, conflicts and quarantined lines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tests.worldchecker.evidence import KEPT, Evidence, Frame, Line
from tests.worldchecker.finding import Finding, Promise
from tests.worldchecker.merging import Merged, is_op, merge_again, same


def check_merges(evidence: Evidence) -> Iterator[Finding]:
    """Yield where a frame is not what its deltas make of the frame before."""
    for before, frame in pairwise(evidence.frames):
        recorded = {(int(number), str(worker)) for number, worker in frame.record["merged"]}
        lines = [line for d in frame.deltas if d.pair in recorded for line in d.lines]
        touched = {str(line.op["doc"]) for line in lines if is_op(line) and line.op is not None}
        old = {name: before.document(name) for name in touched if name in before.blobs}
        merged = merge_again(old, lines)
        yield from _check_documents(before, frame, merged)
        yield from _check_conflicts(frame, merged, lines)
        yield from _check_quarantine(frame, lines)


def _check_documents(before: Frame, frame: Frame, merged: Merged) -> Iterator[Finding]:
    for name in sorted((before.blobs.keys() | frame.blobs.keys()) - KEPT):
        if name in merged.documents:
            right = same(merged.documents[name], frame.document(name))
        else:
            right = before.blobs.get(name) == frame.blobs.get(name)
        if not right:
            yield Finding(Promise.MERGE, f"frame {frame.number}", f"{name} is not what was merged")


def _check_conflicts(frame: Frame, merged: Merged, lines: list[Line]) -> Iterator[Finding]:
    """A late set may also be told as one that replaces what it had not seen (``stale``)."""
    recorded = {(each["doc"], each["path"]) for each in frame.report["conflicts"]}
    stale = {(c["doc"], c["path"]) for c in frame.report["conflicts"] if c.get("kind") == "stale"}
    late = {
        (str(line.op["doc"]), str(line.op["path"]))
        for line in lines
        if line.op is not None and is_op(line) and line.frame < frame.number - 1
    }
    for doc, path in sorted(set(merged.disagreeing) - recorded):
        yield _of(Promise.CONFLICTS, frame, f"{doc}{path} is disputed, and nothing says so")
    for doc, path in sorted(recorded - set(merged.disagreeing) - (stale & late)):
        yield _of(Promise.CONFLICTS, frame, f"{doc}{path} is said to be disputed, and is not")


def _check_quarantine(frame: Frame, lines: list[Line]) -> Iterator[Finding]:
    bad = {line[:4] for line in lines if not is_op(line)}
    recorded = {
        (each["frame"], each["worker"], each["stream"], each["line"])
        for each in frame.report["quarantined"]
    }
    for line in sorted(bad - recorded):
        yield _of(Promise.QUARANTINE, frame, f"{line} is no op, and nothing says so")
    for line in sorted(recorded - bad):
        yield _of(Promise.QUARANTINE, frame, f"{line} is said to be no op, and is one")


def _of(promise: Promise, frame: Frame, text: str) -> Finding:
    return Finding(promise, f"frame {frame.number}", text)
