"""The line of frames: consecutive, and every delta in it exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from tests.worldchecker.evidence import Delta, Evidence, Frame
from tests.worldchecker.finding import Finding, Promise


def check_line(evidence: Evidence) -> Iterator[Finding]:
    """Yield where frames are not consecutive, or a delta is of another world."""
    first = evidence.frames[0]
    if first.number != 0 or first.parents:
        yield _of(Promise.LINE, first, "the first commit is not frame 0")
    for before, frame in pairwise(evidence.frames):
        if frame.number != before.number + 1:
            yield _of(Promise.LINE, frame, f"comes after frame {before.number}")
    seen: set[str] = set()
    for frame in evidence.frames:
        for delta in frame.deltas:
            if delta.frame >= frame.number:
                yield _of(Promise.LINE, frame, f"merges {_name(delta)}, which was not over")
            if len(delta.parents) != 1 or delta.parents[0] not in seen:
                yield _of(Promise.LINE, frame, f"merges {_name(delta)}, made for another world")
        seen.add(frame.commit)


def check_once(evidence: Evidence) -> Iterator[Finding]:
    """Yield which delta is not merged exactly once, or not as the record says."""
    times = Counter(tuple(pair) for frame in evidence.frames for pair in frame.record["merged"])
    for (number, worker), count in times.items():
        if count > 1:
            yield Finding(Promise.ONCE, f"delta {number}/{worker}", f"is merged {count} times")
    done: set[tuple[int, str]] = set()
    for frame in evidence.frames:
        recorded = {(int(number), str(worker)) for number, worker in frame.record["merged"]}
        there = {delta.pair for delta in frame.deltas}
        for pair in sorted(recorded - there):
            yield _of(Promise.ONCE, frame, f"records {pair}, which is not among its parents")
        for pair in sorted(there - recorded - done):
            yield _of(Promise.ONCE, frame, f"has {pair} among its parents and does not record it")
        done |= recorded


def merged_deltas(evidence: Evidence) -> Iterator[tuple[Frame, Delta]]:
    """Yield every delta that counts, with the frame that merged it."""
    done: set[tuple[int, str]] = set()
    for frame in evidence.frames:
        recorded = {(int(number), str(worker)) for number, worker in frame.record["merged"]}
        for delta in frame.deltas:
            if delta.pair in recorded and delta.pair not in done:
                done.add(delta.pair)
                yield frame, delta


def _of(promise: Promise, frame: Frame, text: str) -> Finding:
    return Finding(promise, f"frame {frame.number}", text)


def _name(delta: Delta) -> str:
    return f"{delta.frame}/{delta.worker}"
