"""Old rescues: their refs are folded into a branch, so that refs do not pile up (I3).

Every folded rescue becomes a parent of the branch's next commit, in the same push that deletes
its ref. So nothing is destroyed: ``git log baton-rescue`` reaches all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitbaton.core.clock import Clock
from gitbaton.core.errors import HostRefused, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.git.history import find_commit, unreachable
from gitbaton.git.objects import Commit, Person, RawObject, encode_commit, encode_tree, make_object
from gitbaton.git.objectstore import ObjectStore
from gitbaton.git.remote import PushState, RefResult, RefUpdate, Remote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.gitengine.layout import Layout
from gitbaton.store.model import Actor, Rescue

MAX_REFS = 100  # of one push: deleting 1,000 refs atomically took 4-13 s
_TURNS = 6


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """What the archive's next commit says of one rescue: which it is, and its subject."""

    rescue: Rescue
    subject: str


class GitArchive:
    """The rescue refs of one remote, and the branch that old ones are folded into."""

    def __init__(
        self, repository: CoordinationRepository, remote: Remote, layout: Layout, clock: Clock
    ) -> None:
        self._repository = repository
        self._remote = remote
        self._layout = layout
        self._clock = clock

    @property
    def branch(self) -> str:
        """The branch's name, as people see it."""
        return self._layout.archive.removeprefix("refs/heads/")

    def rescues(self) -> list[Rescue]:
        """Return all rescues that have a ref. Raises RemoteUnreachable, HostRefused."""
        return list(self._listed()[0].values())

    def fetch(self, rescues: Iterable[Rescue]) -> None:
        """Bring the commits of ``rescues`` into the coordination repository. Raises as above."""
        wanted = {self._layout.target(rescue): rescue.oid for rescue in rescues}
        absent = self._repository.objects.missing(wanted.values())
        if absent:
            self._remote.fetch({ref: oid for ref, oid in wanted.items() if oid in absent})

    def archived(self, rescues: Iterable[Rescue]) -> set[Rescue]:
        """Return those of ``rescues`` that the branch holds already. Raises as above."""
        wanted = list(rescues)
        tip = self._listed()[1] if wanted else None
        if tip is None:
            return set()
        self._fetch_branch(tip)
        absent = self._repository.objects.missing([rescue.oid for rescue in wanted])
        there = [rescue.oid for rescue in wanted if rescue.oid not in absent]
        lost = absent.union(unreachable(self._repository, there, [tip]))
        return {rescue for rescue in wanted if rescue.oid not in lost}

    def fold(self, rescues: Sequence[Rescue], *, actor: Actor) -> list[Rescue]:
        """Fold ``rescues`` into the branch and delete their refs; return those folded.

        One that is gone already, or whose ref is not what its name says, is passed over. Raises
        RemoteUnreachable, HostRefused; then what was not folded has its ref still.
        """
        folded: list[Rescue] = []
        for start in range(0, len(rescues), MAX_REFS):
            folded += self._fold(set(rescues[start : start + MAX_REFS]), actor)
        return folded

    def _fold(self, wanted: set[Rescue], actor: Actor) -> list[Rescue]:
        last = RefResult(PushState.UNSENT)
        seen: dict[Rescue, None] = {}
        for _ in range(_TURNS):
            there, tip = self._listed()
            self.fetch(rescue for rescue in there.values() if rescue in wanted)
            refs = {ref: r for ref, r in there.items() if r in wanted and self._is_commit(r.oid)}
            if not refs:
                return list(seen)
            seen.update(dict.fromkeys(refs.values()))
            if tip is not None:
                self._fetch_branch(tip)
            made = archive_commit(
                self._repository.objects,
                tip,
                [ArchiveEntry(r, self._subject(r.oid)) for r in refs.values()],
                Person(actor.name, actor.email, int(self._clock.now().timestamp())),
            )
            last = self._push(RefUpdate(self._layout.archive, tip, made), refs)
            if last.state is PushState.REFUSED:
                raise HostRefused(last.reason, ref=self._layout.archive)
        raise RemoteUnreachable(f"the rescues could not be folded: {last.reason}", next="try again")

    def _push(self, branch: RefUpdate, refs: Mapping[str, Rescue]) -> RefResult:
        """Send the branch and the deletions; return what stood in the way, or a DONE."""
        deletions = [RefUpdate(ref, rescue.oid, None) for ref, rescue in refs.items()]
        if self._may_be_atomic():
            fates = self._remote.push([branch, *deletions], atomic=True)
            if self._may_be_atomic():
                return _worst(fates)
        # Without atomic pushes: nothing is deleted before the branch holds it.
        fate = self._remote.push([branch], atomic=False)[branch.ref]
        if fate.state is not PushState.DONE:
            return fate
        return _worst(self._remote.push(deletions, atomic=False))

    def _may_be_atomic(self) -> bool:
        return self._remote.supports_atomic is not False

    def _listed(self) -> tuple[dict[str, Rescue], Oid | None]:
        """Return the rescue refs that hold what their names say, and the branch's tip."""
        prefix = f"{self._layout.namespace}rescue/"
        refs = self._remote.list([prefix, self._layout.archive]).refs
        found: dict[str, Rescue] = {}
        for ref, oid in refs.items():
            parts = self._layout.rescue(ref)
            if parts is not None and parts[2] == oid:
                found[ref] = Rescue(parts[0], parts[1], oid)
        return found, refs.get(self._layout.archive)

    def _fetch_branch(self, tip: Oid) -> None:
        if self._repository.objects.missing([tip]):
            self._remote.fetch({self._layout.archive: tip})

    def _is_commit(self, oid: Oid) -> bool:
        return find_commit(self._repository, oid) == oid

    def _subject(self, commit: Oid) -> str:
        return self._repository.git.run("log", "-1", "--format=%s", commit).text


def archive_commit(
    objects: ObjectStore, tip: Oid | None, entries: Sequence[ArchiveEntry], author: Person
) -> Oid:
    """Write the commit that makes ``entries`` reachable from the archive at ``tip``.

    It has no files: all it is for is its parents.
    """
    tree = make_object("tree", encode_tree(()), objects.format)
    lines = [f"rescue: archive {len(entries)}", ""]
    lines += [f"{e.rescue.task} epoch {e.rescue.epoch}: {e.subject}" for e in entries]
    parents = dict.fromkeys([*([tip] if tip else []), *(e.rescue.oid for e in entries)])
    body = encode_commit(Commit(tree.oid, tuple(parents), author, "\n".join(lines)))
    commit: RawObject = make_object("commit", body, objects.format)
    objects.write([tree, commit])
    return commit.oid


def _worst(fates: Mapping[str, RefResult]) -> RefResult:
    """Return what became of a push as a whole: a refusal, else anything that is not done."""
    order = (PushState.REFUSED, PushState.UNKNOWN, PushState.STALE, PushState.UNSENT)
    for state in order:
        found = next((fate for fate in fates.values() if fate.state is state), None)
        if found is not None:
            return found
    return RefResult(PushState.DONE)
