"""I2: a result is on a branch if and only if its claim was current when it landed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.checker.claims import epoch, status
from tests.checker.evidence import Evidence
from tests.checker.finding import Finding, Invariant
from tests.checker.records import Version

FINISHED = frozenset({"done", "review"})


@dataclass(frozen=True, slots=True)
class Report:
    """A commit that an agent says it made, and in which epoch of which task, where it says so.

    Landing may make a commit again, on a newer target or with trailers. With a ``subject``, which
    no other commit must have, such a copy accounts for it.
    """

    commit: str
    task: str | None = None
    epoch: int | None = None
    subject: str | None = None


def check_landings(evidence: Evidence, reported: Iterable[Report]) -> Iterator[Finding]:
    """Find results that are on no branch, and commits on branches that had no right to land."""
    landings = list(find_landings(evidence))
    yield from _missing_results(evidence)
    yield from _zombies(evidence, landings, reported)
    yield from _repeated(evidence, landings)


def find_landings(evidence: Evidence) -> Iterator[Version]:
    """Return the versions by which a claim ended in a result, without those taken back."""
    undone = evidence.undone()
    for version in evidence.versions.values():
        before = evidence.before(version)
        if (
            version.is_task
            and status(version) in FINISHED
            and version.oid not in undone
            and before is not None
            and status(before) == "in-progress"
        ):
            yield version


def _result(version: Version) -> tuple[str | None, str | None]:
    """Return (ref, commit) of a task's result."""
    result = version.value.get("result") or {}
    branch = result.get("branch")
    return (f"refs/heads/{branch}" if branch else None), result.get("commit")


def _missing_results(evidence: Evidence) -> Iterator[Finding]:
    undone = evidence.undone()
    seen: set[tuple[str, str | None, str]] = set()
    for version in evidence.versions.values():
        if not version.is_task or status(version) not in FINISHED or version.oid in undone:
            continue
        ref, commit = _result(version)
        if commit is None or (version.key, ref, commit) in seen:
            continue
        seen.add((version.key, ref, commit))
        if commit not in evidence.commits:
            yield Finding(Invariant.I2, str(version), f"its result {commit} is on no ref")
        elif ref is not None and not _is_on(evidence, ref, commit):
            yield Finding(Invariant.I2, str(version), f"its result {commit} is not on {ref}")


def _is_on(evidence: Evidence, ref: str, commit: str) -> bool:
    """Tell whether ``commit`` is on ``ref``, or was until a recorded move took the ref elsewhere.

    People remove branches that were merged: then it must be on another branch of code.
    """
    tip = evidence.refs.get(ref)
    if tip is None:
        others = (oid for name, oid in evidence.refs.items() if evidence.names.is_code(name))
        return any(evidence.reaches(oid, commit) for oid in others)
    return evidence.reaches(tip, commit) or any(
        move.ref == ref
        and move.old is not None
        and move.old in evidence.commits
        and evidence.reaches(move.old, commit)
        for version in evidence.versions.values()
        for move in version.moves
    )


def result_refs(evidence: Evidence) -> list[str]:
    """Return the target and every branch that a record names as the place of a result."""
    named = {evidence.names.target}
    for version in evidence.versions.values():
        if version.is_task:
            named.add(_result(version)[0] or evidence.names.target)
            named.update(move.ref for move in version.moves)
    return sorted(ref for ref in named if evidence.names.is_code(ref) and ref in evidence.refs)


def _zombies(
    evidence: Evidence, landings: list[Version], reported: Iterable[Report]
) -> Iterator[Finding]:
    """Find commits on result branches that were made under a claim which did not land them."""
    landed: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for version in landings:
        commit = _result(version)[1]
        if commit is not None:
            landed[version.name, str(epoch(version))].append(commit)
    makers = {oid: set(c.made_for) for oid, c in evidence.commits.items() if c.made_for}
    for report in reported:
        if report.task is not None:
            makers.setdefault(report.commit, set()).add((report.task, str(report.epoch)))
    for ref in result_refs(evidence):
        for oid in sorted(evidence.ancestors(evidence.refs[ref]) & makers.keys()):
            for task, number in sorted(makers[oid]):
                if not any(evidence.reaches(tip, oid) for tip in landed[task, number]):
                    text = f"has {oid} of {task} epoch {number}, which never landed it"
                    yield Finding(Invariant.I2, ref, text)


def _repeated(evidence: Evidence, landings: list[Version]) -> Iterator[Finding]:
    """Find epochs that landed twice."""
    count: defaultdict[tuple[str, int], list[Version]] = defaultdict(list)
    landed = {version.oid for version in landings}
    for _, versions in evidence.lives():
        count.clear()
        for version in versions:
            if version.oid in landed:
                count[version.key, epoch(version)].append(version)
        for (key, number), found in count.items():
            if len(found) > 1:
                text = f"epoch {number} landed {len(found)} times: "
                yield Finding(Invariant.I2, key, text + ", ".join(v.oid for v in found))
