"""I6: no transaction is there by half; at rest, refs and board say the same of every record."""

from __future__ import annotations

from collections.abc import Iterator

from tests.checker.evidence import Evidence
from tests.checker.finding import Finding, Invariant
from tests.checker.names import TASKS


def check_transactions(evidence: Evidence) -> Iterator[Finding]:
    """Find transactions of which a member is missing."""
    members = {(v.key, v.seq, v.transaction): v for v in evidence.versions.values()}
    for version in evidence.versions.values():
        for key, (old, seq) in version.companions.items():
            other = members.get((key, seq, version.transaction))
            if other is None:
                text = f"was written together with {key} #{seq}, which is not there"
                yield Finding(Invariant.I6, str(version), text)
            elif other.after != old:
                text = f"was written on {key} at {old}, which then followed {other.after}"
                yield Finding(Invariant.I6, str(version), text)


def check_places(evidence: Evidence) -> Iterator[Finding]:
    """Find records whose place is in doubt. Only when no transaction is on its way."""
    refs = {
        key.partition("/")[2]: oid
        for key, oid in evidence.records().items()
        if key.startswith(f"{TASKS}/")
    }
    for name in sorted({*refs, *evidence.live, *evidence.parked}):
        marked, parked, has_ref = name in evidence.live, name in evidence.parked, name in refs
        if marked and parked:
            yield Finding(Invariant.I6, f"{TASKS}/{name}", "is both parked and marked live")
        if parked and has_ref:
            yield Finding(Invariant.I6, f"{TASKS}/{name}", "is parked, but has a ref")
        if marked and not has_ref:
            yield Finding(Invariant.I6, f"{TASKS}/{name}", "is marked live, but has no ref")
        if has_ref and not marked and not parked:
            yield Finding(Invariant.I6, f"{TASKS}/{name}", "has a ref, but no mark on the board")
