"""Puts tables and plots into ``docs/``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.document import Document
from benchmarks.report import tables
from benchmarks.report.plots import draw_all

BEGIN: Final = "<!-- results: written by `make bench-report`; do not edit -->"
END: Final = "<!-- end of results -->"


def update(document: Document, docs: Path, *, source: str) -> list[Path]:
    """Write the results into the page and the plots beside it; return what was written.

    ``source``: where the results are kept. Raises ValueError if the page has no place for them.
    """
    drawn = draw_all(document, docs / "benchmarks")
    pictures = "\n\n".join(f"![{path.stem}](../benchmarks/{path.name})" for path in drawn)
    told = f"From [`{source}`](../../{source}).\n\n{tables.render(document)}\n\n{pictures}"
    page = docs / "reference" / "benchmarks.md"
    page.write_text(insert(page.read_text(), told))
    return [page, *drawn]


def insert(page: str, results: str) -> str:
    """Return ``page`` with ``results`` in their place."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no place for results")
    return f"{before}{BEGIN}\n\n{results.strip()}\n\n{END}{after}"
