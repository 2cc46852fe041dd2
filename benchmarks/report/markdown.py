"""Markdown, and numbers in it (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.document import Times


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; nothing for no rows."""
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def both(times: Times) -> list[str]:
    """Return the median and the 99th percentile."""
    return [f"{times.p50:.1f}", f"{times.p99:.1f}"]
