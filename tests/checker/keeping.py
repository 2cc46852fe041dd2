"""I3: no version of a record, no moved branch's commit and no agent's commit was destroyed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.checker.evidence import Evidence
from tests.checker.finding import Finding, Invariant
from tests.checker.landings import Report
from tests.checker.names import TASKS
from tests.checker.records import Version


def check_keeping(evidence: Evidence, reported: Iterable[Report]) -> Iterator[Finding]:
    """Find what was there once and is reachable no more."""
    yield from _lost_versions(evidence)
    yield from _set_back(evidence)
    yield from _lost_moves(evidence)
    yield from _bad_rescues(evidence)
    kept = {
        oid
        for ref, tip in evidence.refs.items()
        if evidence.names.is_code(ref) or ref.startswith(f"{evidence.names.namespace}rescue/")
        for oid in evidence.ancestors(tip)
    }
    copies = {
        (maker, evidence.commits[oid].subject)
        for oid in kept
        for maker in evidence.commits[oid].made_for
    }
    for report in reported:
        copy = ((report.task, str(report.epoch)), report.subject)
        if report.commit not in kept and copy not in copies:
            whose = f" (made for {report.task} epoch {report.epoch})" if report.task else ""
            text = f"is on no branch and no rescue ref{whose}"
            yield Finding(Invariant.I3, report.commit, text)


def _lost_versions(evidence: Evidence) -> Iterator[Finding]:
    """Find versions that the board showed and that are gone. Heartbeats may be replaced."""
    begun = {v.oid: v for v in evidence.shown if not v.heartbeat}
    for oid, version in begun.items():
        if oid not in evidence.versions:
            text = f"was shown on the board as {oid[:10]} and is reachable no more"
            yield Finding(Invariant.I3, str(version), text)


def _set_back(evidence: Evidence) -> Iterator[Finding]:
    """Find records that stand at a version that is not their last, or stand nowhere."""
    current = evidence.current()
    for key, versions in evidence.lives():
        newest = versions[-1]
        held = current.get(key)
        if held is not None and held.oid in {v.oid for v in versions} and held.seq < newest.seq:
            text = f"stands at number {held.seq}, but {newest} was written"
            yield Finding(Invariant.I3, key, text)
        elif held is None and not newest.deleted:
            text = f"{newest} was written, but there is no such record any more"
            yield Finding(Invariant.I3, key, text)


def _lost_moves(evidence: Evidence) -> Iterator[Finding]:
    """Find commits that a transaction put on a ref and that no ref reaches now."""
    undone = evidence.undone()
    for version in evidence.versions.values():
        for move in version.moves:
            if version.oid not in undone and move.new not in evidence.commits:
                if _is_result(version, move.new):
                    continue  # a result that is nowhere is I2's business
                text = f"moved {move.ref} to {move.new}, which is reachable no more"
                yield Finding(Invariant.I3, str(version), text)


def _is_result(version: Version, commit: str) -> bool:
    result = version.value.get("result") or {}
    return version.key.startswith(f"{TASKS}/") and result.get("commit") == commit


def _bad_rescues(evidence: Evidence) -> Iterator[Finding]:
    """Find rescue refs that do not keep what their name says."""
    prefix = f"{evidence.names.namespace}rescue/"
    for ref, oid in evidence.refs.items():
        if not ref.startswith(prefix):
            continue
        named = evidence.names.rescue(ref)
        if named is None:
            yield Finding(Invariant.I3, ref, "is no name of a rescue ref")
        elif named[2] != oid or oid not in evidence.commits:
            yield Finding(Invariant.I3, ref, f"keeps {oid}, which is not the commit it names")
