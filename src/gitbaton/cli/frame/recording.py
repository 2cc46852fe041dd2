"""How the record of a frame is shown: what was merged, what was in conflict, what was put aside."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Any, Final

import msgspec

from gitbaton.cli.output import PLAIN_WIDTH, Cell, Output, one_line
from gitbaton.frames.codec import Quarantined
from gitbaton.frames.conflict import Claim, Conflict
from gitbaton.frames.frame import Frame
from gitbaton.frames.history import Page
from gitbaton.frames.news import counted

_LINES: Final = 4  # of document names
_LONG: Final = 48
"""Characters of a value that are shown to people."""
LOG_COLUMNS: Final = ("frame", "at", "deltas", "ops", "conflicts", "aside", "by")


def record_document(frame: Frame) -> dict[str, Any]:
    """Return the record of a frame as JSON shows it."""
    document: dict[str, Any] = msgspec.to_builtins(frame)
    document["merged"] = [{"frame": number, "worker": worker} for number, worker in frame.merged]
    return document


def page_document(page: Page) -> dict[str, Any]:
    """Return a frame of the history as JSON shows it."""
    head = {"frame": page.frame.number, "commit": page.commit, "at": page.at, "author": page.author}
    return head | {"record": record_document(page.frame)}


def count_words(frame: Frame) -> str:
    """Return what a frame was made of, such as ``5 deltas, 420 ops, 2 conflicts``."""
    words = [counted(len(frame.merged), "delta"), counted(frame.counts.ops, "op")]
    if frame.conflict_count:
        words.append(counted(frame.conflict_count, "conflict"))
    if frame.quarantined_count:
        words.append(f"{frame.quarantined_count} put aside")
    if frame.failed_count:
        words.append(f"{counted(frame.failed_count, 'stream')} failed")
    return ", ".join(words)


def failure_lines(frame: Frame) -> Iterator[str]:
    """Yield a line for each stream that did not end well, as far as the record lists them."""
    for each in frame.failed:
        detail = f": {one_line(each.detail)}" if each.detail else ""
        yield f"{each.worker}, stream {each.stream} of frame {each.frame} {each.outcome}{detail}"
    if frame.failed_count > len(frame.failed):
        yield f"and {frame.failed_count - len(frame.failed)} more streams"


def log_rows(pages: Iterable[Page]) -> Iterator[list[Cell]]:
    """Yield a row of ``frame log`` for each frame; no cell is narrower than its heading."""
    for page in pages:
        frame = page.frame
        disputed, aside = frame.conflict_count, frame.quarantined_count
        missing = f", without {', '.join(frame.missing)}" if frame.missing else ""
        yield [
            f"{frame.number:<5}",
            page.at,
            f"{len(frame.merged):<6}",
            f"{frame.counts.ops:<3}",
            (f"{disputed or '-':<9}", "yellow" if disputed else ""),
            (f"{aside or '-':<5}", "red" if aside else ""),
            f"{page.author}{missing}",
        ]


def print_page(out: Output, page: Page, documents: Iterable[str]) -> None:
    """Print a frame for people: its record, and the documents in it."""
    frame = page.frame
    out.say(f"frame {frame.number}, published {page.at} by {page.author} ({page.commit[:10]})")
    if frame.number:
        out.say(f"  made of {count_words(frame)}; {counted(frame.changed, 'document')} changed")
    for number, worker in frame.merged:
        late = f", late, of frame {number}" if number != frame.number - 1 else ""
        out.say(f"  merged: {worker}{late}")
    for worker in frame.missing:
        out.say(f"  not waited for: {worker}")
    for line in failure_lines(frame):
        out.say(f"  {line}")
    for conflict in frame.conflicts:
        print_conflict(out, conflict)
    for bad in frame.quarantined:
        out.say(f"  put aside: {place_words(bad)}")
        out.say(f"    {one_line(bad.reason)}")
    hidden = frame.conflict_count - len(frame.conflicts)
    hidden += frame.quarantined_count - len(frame.quarantined)
    if hidden > 0:
        more = f"baton frame show {frame.number} frame-report.json"
        out.say(f"  and {hidden} more; next: {more}")
    names = list(documents)
    out.say(f"  {counted(len(names), 'document')}:")
    for line in wrap(" ".join(names), PLAIN_WIDTH - 4, max_lines=_LINES, placeholder=" …"):
        out.say(f"    {line}")


def place_words(bad: Quarantined) -> str:
    """Return where what was put aside came from: a line, a stream, or a worker's whole delta."""
    words = [bad.worker]
    if bad.stream:
        words.append(f"stream {bad.stream}")
    if bad.line:
        words.append(f"line {bad.line}")
    more = f" ({counted(bad.more, 'line')})" if bad.more else ""
    return f"{', '.join(words)} of frame {bad.frame}{more}"


def print_conflict(out: Output, conflict: Conflict) -> None:
    """Print a conflict: where, what decided, and who wanted what."""
    found = (
        f", before: {value_words(conflict.found)}" if conflict.found is not msgspec.UNSET else ""
    )
    out.say(
        f"  conflict ({conflict.kind}, {conflict.rule}) at {conflict.doc}{conflict.path}{found}"
    )
    for claim in conflict.claims:
        out.say(f"    {'won ' if claim.won else 'lost'} {_claim_words(claim)}")
    if conflict.more:
        out.say(f"    and {conflict.more} more that lost")


def value_words(value: object) -> str:
    """Return a value on one line, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _claim_words(claim: Claim) -> str:
    value = f" {value_words(claim.value)}" if claim.value is not msgspec.UNSET else ""
    who = f" for {claim.agent}" if claim.agent else ""
    return f"{claim.op}{value}{who} ({claim.worker}, stream {claim.stream}, line {claim.sequence})"
