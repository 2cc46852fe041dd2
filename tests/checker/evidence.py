"""All that a remote shows, gathered once: refs, commits, versions of records, the board."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.checker.finding import Finding, Invariant
from tests.checker.names import Names, card_name
from tests.checker.objects import json_body, version_objects
from tests.checker.records import Version, parse_card, parse_version
from tests.checker.repository import Commit, FileChange, Repository


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the remote shows.

    ``versions``: by commit id; ``unborn``: those that only a card of the board holds, parked since
    they were added. ``shown``: every card that any board commit wrote, in order. ``parked`` and
    ``live``: the cards on the board now, by record name. ``line``: the board's own commits.
    """

    names: Names
    refs: Mapping[str, str]
    commits: Mapping[str, Commit]
    line: frozenset[str]
    versions: Mapping[str, Version]
    unborn: frozenset[str]
    shown: tuple[Version, ...]
    parked: Mapping[str, Version]
    live: Mapping[str, Version]
    algorithm: str
    _ancestors: dict[str, frozenset[str]] = field(default_factory=dict, repr=False)

    def by_key(self) -> dict[str, list[Version]]:
        """Return the versions of each key in the order of their numbers."""
        keyed: defaultdict[str, list[Version]] = defaultdict(list)
        for version in sorted(self.versions.values(), key=lambda v: v.seq):
            keyed[version.key].append(version)
        return dict(keyed)

    def lives(self) -> list[tuple[str, list[Version]]]:
        """Return (key, versions) of each record that was; one deleted and added again is two."""
        lives: list[tuple[str, list[Version]]] = []
        for key, versions in self.by_key().items():
            if not any(version.deleted for version in versions):
                lives.append((key, versions))
                continue
            roots: dict[str, str] = {}
            for version in versions:
                roots[version.oid] = roots.get(version.after or "", version.oid)
            lives += [
                (key, [v for v in versions if roots[v.oid] == root])
                for root in dict.fromkeys(roots.values())
            ]
        return lives

    def records(self) -> dict[str, str]:
        """Return the version that each live record's ref names, by key."""
        keyed = {self.names.key(ref): oid for ref, oid in self.refs.items()}
        return {key: oid for key, oid in keyed.items() if key is not None}

    def current(self) -> dict[str, Version]:
        """Return each record as it stands: its ref is the truth, without one the board is."""
        cards = {f"tasks/{name}": v for name, v in (*self.live.items(), *self.parked.items())}
        refs = {k: self.versions[o] for k, o in self.records().items() if o in self.versions}
        return cards | refs

    def before(self, version: Version) -> Version | None:
        """Return the version on which ``version`` stands."""
        return self.versions.get(version.after) if version.after else None

    def is_undone(self, version: Version, child: Version) -> bool:
        """Tell whether ``child`` takes ``version`` back: the host refused the branch it moved."""
        base = self.before(version)
        return (
            child.after == version.oid
            and child.subject == f"undo: {version.subject}"
            and base is not None
            and base.value == child.value
        )

    def undone(self) -> frozenset[str]:
        """Return the ids of all versions that the next one took back."""
        pairs = ((self.before(child), child) for child in self.versions.values())
        return frozenset(v.oid for v, child in pairs if v is not None and self.is_undone(v, child))

    def reaches(self, tip: str, oid: str) -> bool:
        """Tell whether the commit ``oid`` is ``tip`` or one of its ancestors."""
        return oid in self.ancestors(tip)

    def ancestors(self, tip: str) -> frozenset[str]:
        """Return ``tip`` and all its ancestors."""
        if tip not in self._ancestors:
            self._ancestors[tip] = frozenset(walk(self.commits, [tip]))
        return self._ancestors[tip]


def gather(repository: Repository, names: Names) -> tuple[Evidence, list[Finding]]:
    """Return the evidence in ``repository``, and what in it could not be read."""
    findings: list[Finding] = []
    typed = repository.refs()
    refs = {ref: oid for ref, (oid, _) in typed.items()}
    commits = repository.commits()
    tip = refs.get(names.board)
    changes = repository.board_changes(tip) if tip else []
    line = frozenset(_first_parents(commits, tip))
    starts = [oid for ref, oid in refs.items() if names.key(ref) is not None]
    inner = [oid for oid in walk(commits, [*starts, *line]) if oid not in line]
    versions = _read_versions(repository, inner, findings)
    shown, parked, live = _read_cards(repository, changes, findings)
    unborn = {v.oid: v for v in parked.values() if v.oid not in versions and v.seq == 1}
    evidence = Evidence(
        names=names,
        refs=refs,
        commits=commits,
        line=line,
        versions=versions | unborn,
        unborn=frozenset(unborn),
        shown=tuple(shown),
        parked=parked,
        live=live,
        algorithm=repository.algorithm,
    )
    findings += _untrue_ids(evidence)
    return evidence, findings


def walk(commits: Mapping[str, Commit], starts: Iterable[str]) -> Iterator[str]:
    """Return the commits that ``starts`` reach, themselves included."""
    seen: set[str] = set()
    todo = list(starts)
    while todo:
        oid = todo.pop()
        if oid not in seen and oid in commits:
            seen.add(oid)
            todo.extend(commits[oid].parents)
            yield oid


def _first_parents(commits: Mapping[str, Commit], tip: str | None) -> Iterator[str]:
    while tip is not None:
        yield tip
        tip = next(iter(commits[tip].parents), None)


def _read_versions(
    repository: Repository, oids: list[str], findings: list[Finding]
) -> dict[str, Version]:
    versions: dict[str, Version] = {}
    bodies = repository.read([f"{oid}:record.json" for oid in oids])
    for oid, body in zip(oids, bodies, strict=True):
        if body is None:
            text = "is among the records but has no record.json, and is no commit of the board"
            findings.append(Finding(Invariant.HISTORY, oid, text))
            continue
        try:
            versions[oid] = parse_version(oid, body)
        except ValueError as error:
            findings.append(Finding(Invariant.HISTORY, oid, f"is no version: {error}"))
    return versions


def _read_cards(
    repository: Repository, changes: list[FileChange], findings: list[Finding]
) -> tuple[list[Version], dict[str, Version], dict[str, Version]]:
    """Return all cards ever shown, and those that are parked and live on the board now."""
    places: dict[str, dict[str, Version]] = {"parked": {}, "live": {}}
    cards = [c for c in changes if c.path.startswith(("tasks/", "live/"))]
    blobs = list(dict.fromkeys(c.blob for c in cards if c.blob is not None))
    bodies = dict(zip(blobs, repository.read(blobs), strict=True))
    shown: list[Version] = []
    for change in cards:
        where = card_name(change.path)
        if where is None:
            text = f"{change.path} is no place for a card"
            findings.append(Finding(Invariant.HISTORY, change.commit, text))
            continue
        place, name = where
        places[place].pop(name, None)
        if change.blob is None:
            continue
        try:
            version = parse_card(bodies[change.blob] or b"")
            if version.key != f"tasks/{name}":
                raise ValueError(f"it holds {version.key}")
        except ValueError as error:
            text = f"{change.path} is no card: {error}"
            findings.append(Finding(Invariant.HISTORY, change.commit, text))
        else:
            places[place][name] = version
            shown.append(version)
    return shown, places["parked"], places["live"]


def _untrue_ids(evidence: Evidence) -> list[Finding]:
    """Return the versions parked since their birth whose id is not what their content gives."""
    members = {(v.key, v.seq, v.transaction): v for v in evidence.versions.values()}
    found: list[Finding] = []
    for oid in evidence.unborn:
        version = evidence.versions[oid]
        halves = {
            key: json_body({**other.envelope, "companions": {}})
            for key, (_, seq) in version.companions.items()
            if (other := members.get((key, seq, version.transaction))) is not None
        }
        given, _ = version_objects(version.envelope, halves, evidence.algorithm)
        if given != oid:
            text = f"is parked as {oid}, but its content gives {given}"
            found.append(Finding(Invariant.HISTORY, version.key, text))
    return found
