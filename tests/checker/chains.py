"""The records' history is well formed: one line of versions for each record, nonces used once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.checker.evidence import Evidence
from tests.checker.finding import Finding, Invariant
from tests.checker.records import Version


def check_chains(evidence: Evidence) -> Iterator[Finding]:
    """Find versions that do not follow from one another as the format says."""
    for version in evidence.versions.values():
        for text in (*_against_commit(evidence, version), *_against_parent(evidence, version)):
            yield Finding(Invariant.HISTORY, str(version), text)
    yield from _forks(evidence)
    yield from _beginnings(evidence)
    yield from _repeated_nonces(evidence)
    for key, oid in evidence.records().items():
        held = evidence.versions.get(oid)
        if held is not None and held.key != key:
            yield Finding(Invariant.HISTORY, key, f"its ref names {held}")


def _against_commit(evidence: Evidence, version: Version) -> Iterator[str]:
    commit = evidence.commits.get(version.oid)
    if commit is None:
        return
    if commit.parents != ((version.after,) if version.after else ()):
        yield f"says that it follows {version.after}, its commit follows {commit.parents}"
    if commit.subject != version.subject.strip():
        yield f"its commit's subject is {commit.subject!r}"


def _against_parent(evidence: Evidence, version: Version) -> Iterator[str]:
    if version.after is None:
        if version.seq != 1:
            yield f"is number {version.seq} and follows nothing"
        return
    before = evidence.before(version)
    if before is None:
        yield f"follows {version.after}, which is no version"
        return
    if before.key != version.key:
        yield f"follows a version of {before.key}"
    if before.deleted:
        yield "follows the end of its record"
    if version.seq <= before.seq or (version.seq > before.seq + 1 and not version.heartbeat):
        yield f"follows number {before.seq}"


def _forks(evidence: Evidence) -> Iterator[Finding]:
    """Find versions with two successors. Only a heartbeat may leave replaced ones beside it."""
    successors: defaultdict[str, list[Version]] = defaultdict(list)
    for version in evidence.versions.values():
        if version.after is not None:
            successors[version.after].append(version)
    for oid, children in successors.items():
        *replaced, last = sorted(children, key=lambda child: (child.seq, child.oid))
        beside = all(child.heartbeat for child in children)
        for child in replaced:
            if not beside or child.seq == last.seq or child.oid in successors:
                text = f"{child} and {last} both follow {oid[:10]}"
                yield Finding(Invariant.HISTORY, child.key, text)


def _beginnings(evidence: Evidence) -> Iterator[Finding]:
    """Find keys that began again although the record before was not deleted."""
    for key, versions in evidence.by_key().items():
        begun = sum(version.after is None for version in versions)
        ended = sum(version.deleted for version in versions)
        if begun > ended + 1:
            text = f"began {begun} times and ended {ended} times"
            yield Finding(Invariant.HISTORY, key, text)


def _repeated_nonces(evidence: Evidence) -> Iterator[Finding]:
    """Find nonces that more than one transaction used."""
    users: defaultdict[str, list[Version]] = defaultdict(list)
    for version in evidence.versions.values():
        users[version.transaction].append(version)
    for nonce, members in users.items():
        first = members[0]
        same = {(v.at, v.actor, v.subject) for v in members} == {
            (first.at, first.actor, first.subject)
        }
        if not same or len({v.key for v in members}) != len(members):
            text = "is used by " + " and by ".join(str(v) for v in members[:3])
            yield Finding(Invariant.HISTORY, f"transaction {nonce}", text)
    boards: defaultdict[str, list[str]] = defaultdict(list)
    for oid in sorted(evidence.line):
        for nonce in evidence.commits[oid].transactions:
            boards[nonce].append(oid)
    for nonce, oids in boards.items():
        if len(oids) > 1:
            text = f"moved the board {len(oids)} times: {', '.join(oids)}"
            yield Finding(Invariant.HISTORY, f"transaction {nonce}", text)
