"""The ledger against git: what streams wrote is what was merged, and nothing of it is lost."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from tests.worldchecker.evidence import Evidence, Line, read_lines
from tests.worldchecker.finding import Finding, Promise
from tests.worldchecker.ledger import Ledger, Run
from tests.worldchecker.lineage import merged_deltas
from tests.worldchecker.merging import is_op


def check_ledger(evidence: Evidence, ledger: Ledger) -> Iterator[Finding]:
    """Yield which op is not in the history just as often as its run explains.

    Ops are told apart by a word in them that no other op of any run has; lines that are not even
    JSON are left out. A run that came to its end, of a worker that nobody ended by force, is merged
    whole. Of another run what was merged is all of it, a beginning, or nothing.
    """
    merged: dict[str, Counter[str]] = defaultdict(Counter)
    for _, delta in merged_deltas(evidence):
        for line in delta.lines:
            if line.op is not None:
                merged[_subject(line)][_canonical(line.op)] += 1
    known: dict[str, set[str]] = defaultdict(set)
    for run in ledger.runs:
        yield from _check_run(run, merged, ledger, evidence)
        known[str(run.frame)].update(_read_all(run))
    for subject, counted in merged.items():
        for op, times in counted.items():
            if times > 1:
                yield Finding(Promise.ONCE, subject, f"merged {times} times: {op:.120}")
            if op not in known[subject.split("/")[0]]:
                yield Finding(Promise.LEDGER, subject, f"nobody wrote {op:.120}")


def check_diaries(evidence: Evidence) -> Iterator[Finding]:
    """Yield which entry of a diary is not there exactly once: the last world has them all."""
    end = evidence.frames[-1]
    wanted = Counter(
        str(line.op["value"]["id"])
        for _, delta in merged_deltas(evidence)
        for line in delta.lines
        if is_op(line) and line.op is not None and line.op["op"] == "append"
    )
    there = Counter(
        str(entry["id"])
        for name in end.blobs
        if name.startswith("diary/")
        for entry in end.document(name)["entries"]
    )
    for entry in sorted(wanted.keys() | there.keys()):
        if (wanted[entry], there[entry]) != (1, 1):
            times = f"written {wanted[entry]} times, there {there[entry]} times"
            yield Finding(Promise.ONCE, f"frame {end.number}", f"{entry}: {times}")


def _check_run(
    run: Run, merged: Mapping[str, Counter[str]], ledger: Ledger, evidence: Evidence
) -> Iterator[Finding]:
    lines = _read_all(run)
    places = [subject for subject in merged if subject.startswith(f"{run.frame}/")]
    applied = [any(line in merged[place] for place in places) for line in lines]
    subject = f"{run.frame}/{run.stream} of {run.life}"
    waits = any(number == run.frame for number, _ in evidence.waiting)
    if any(later and not earlier for earlier, later in pairwise(applied)):
        yield Finding(Promise.LEDGER, subject, "something in the middle of it is missing")
    elif run.ended and run.life not in ledger.killed and not all(applied) and not waits:
        yield Finding(Promise.LEDGER, subject, "it came to its end, and is not in the world")


def _subject(line: Line) -> str:
    return f"{line.frame}/{line.worker}/{line.stream}"


def _read_all(run: Run) -> list[str]:
    """Return the lines of a run that are JSON objects, in one spelling."""
    found = read_lines("\n".join(run.lines).encode())
    return [_canonical(op) for _, op in found if op is not None]


def _canonical(op: object) -> str:
    return json.dumps(op, sort_keys=True)
