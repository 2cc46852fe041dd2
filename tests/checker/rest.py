"""I4, when all is quiet: nothing is left undone, and what is done was done once."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tests.checker.claims import status
from tests.checker.evidence import Evidence
from tests.checker.finding import Finding, Invariant
from tests.checker.landings import FINISHED

UNDONE = frozenset({"pending", "in-progress"})


def check_rest(evidence: Evidence, unfinished: Collection[str]) -> Iterator[Finding]:
    """Find tasks that wait or are held although all went home. ``unfinished``: ids that may."""
    for key, version in sorted(evidence.current().items()):
        if version.is_task and status(version) in UNDONE and version.name not in unfinished:
            yield Finding(Invariant.I4, key, f"is left {status(version)}")
    yield from _not_once(evidence)


def _not_once(evidence: Evidence) -> Iterator[Finding]:
    """Find done tasks that became done more or less often than people sent them back plus once."""
    undone = evidence.undone()
    for key, versions in evidence.lives():
        steps = [
            (status(before), status(version))
            for version in versions
            if version.is_task
            and version.oid not in undone
            and (before := evidence.before(version)) is not None
            and before.oid not in undone
        ]
        finished = sum(was not in FINISHED and now in FINISHED for was, now in steps)
        sent_back = sum(was in FINISHED and now == "pending" for was, now in steps)
        if versions[-1].is_task and status(versions[-1]) == "done" and finished != sent_back + 1:
            text = f"was finished {finished} times and sent back {sent_back} times"
            yield Finding(Invariant.I4, key, text)
