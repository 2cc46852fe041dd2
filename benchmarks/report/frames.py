"""The tables of frames, in Markdown (pure)."""

from __future__ import annotations

from benchmarks.document import Document
from benchmarks.report.markdown import table


def render(document: Document) -> str:
    """Return what the results say about frames."""
    parts = [_coordination(document), _scaling(document), _merging(document)]
    return "\n\n".join(part for part in parts if part)


def _coordination(document: Document) -> str:
    head = ["workers", "documents", "ops a frame", "pull, ms", "push, ms"]
    head += ["merge and publish, ms", "together p50, ms", "p99"]
    rows = [
        [
            str(result.workers),
            f"{result.documents:,}",
            f"{result.ops:,}",
            f"{result.pull.p50:.0f}",
            f"{result.push.p50:.0f}",
            f"{result.publish.p50:.0f}",
            f"{result.coordination.p50:.0f}",
            f"{result.coordination.p99:.0f}",
        ]
        for result in document.frames
    ]
    return table(head, rows)


def _scaling(document: Document) -> str:
    head = ["workers", "streams of each", "a stream sleeps, s", "a frame takes, s", "streams/min"]
    rows = [
        [
            str(result.workers),
            str(result.streams),
            f"{result.sleep:g}",
            f"{result.seconds:.2f}",
            f"{result.streams_per_minute:.1f}",
        ]
        for result in document.frame_scaling
    ]
    return table(head, rows)


def _merging(document: Document) -> str:
    head = ["streams", "ops", "conflicts", "documents", "merged in, ms (p50)", "ops a second"]
    rows = [
        [
            rate.workload,
            f"{rate.ops:,}",
            f"{rate.conflicts:,}",
            f"{rate.documents:,}",
            f"{rate.times.p50:.0f}",
            f"{rate.per_second:,}",
        ]
        for rate in document.merging
    ]
    return table(head, rows)
