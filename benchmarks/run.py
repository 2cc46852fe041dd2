"""One run: the parts in their order, and what was found."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.document import Document, Missing
from benchmarks.lab.lab import Lab
from benchmarks.lab.links import LINKS
from benchmarks.lab.workplace import Workplace
from benchmarks.machine import describe_machine, load
from benchmarks.parts import (
    backlog,
    commits,
    contention,
    frames,
    latency,
    merging,
    parallel,
    pushes,
)
from benchmarks.parts.session import Session
from benchmarks.scale import Scale

PARTS: Final[Mapping[str, Callable[[Session], None]]] = {
    "latency": latency.run,
    "contention": contention.run,
    "pushes": pushes.run,
    "backlog": backlog.run,
    "parallel": parallel.run,
    "commits": commits.run,
    "frames": frames.run,
    "merging": merging.run,
}


def run(scale: Scale, *, only: Collection[str] = (), links: Collection[str] = ()) -> Document:
    """Measure and return what was found. ``only``: these parts; ``links``: these links.

    Nothing is left behind: no process, no namespace, no file.
    """
    document = Document(
        scale=scale.name,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        load_before=load(),
        machine=describe_machine(),
    )
    wanted = links or scale.links
    began = time.monotonic()
    with (
        # git may still be writing in it when a killed client's children end
        tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as scratch,
        Lab(Workplace.make(Path(scratch) / "work")) as lab,
    ):
        chosen = tuple(link for link in LINKS if link.name in wanted)
        session = Session(lab, scale, document, chosen)
        for name, part in PARTS.items():
            if not only or name in only:
                part(session)
        document.skipped += [Missing("redis", note) for note in lab.notes]
    document.seconds = round(time.monotonic() - began, 1)
    document.load_after = load()
    return document
