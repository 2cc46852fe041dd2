"""The rescues that one clone can see: on the remote, or kept here; and where old ones go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.errors import Refused
from gitbaton.core.ids import Oid
from gitbaton.git.history import find_commit
from gitbaton.git.objects import Person
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.gitengine.archive import ArchiveEntry, archive_commit
from gitbaton.store.model import Actor, Rescue
from gitbaton.work.outbox import Outbox
from gitbaton.work.rescue import Rescuer, kept_name

_KEPT_ARCHIVE = "archive"


class Archive(Protocol):
    """Where rescues are published, and the branch that old ones are folded into."""

    @property
    def branch(self) -> str:
        """The branch's name, as people see it."""
        ...

    def rescues(self) -> list[Rescue]:
        """Return all rescues that have a ref. Raises RemoteUnreachable, HostRefused."""
        ...

    def fetch(self, rescues: Iterable[Rescue]) -> None:
        """Bring the commits of ``rescues`` into the coordination repository. Raises as above."""
        ...

    def archived(self, rescues: Iterable[Rescue]) -> set[Rescue]:
        """Return those of ``rescues`` that the branch holds already. Raises as above."""
        ...

    def fold(self, rescues: Sequence[Rescue], *, actor: Actor) -> list[Rescue]:
        """Fold ``rescues`` into the branch and delete their refs; return those folded."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """One rescue. ``where``: on the ``remote``, or only ``here`` until the next sync."""

    rescue: Rescue
    where: Literal["remote", "here"]
    subject: str
    at: str  # RFC 3339, when the commit was made


class KeptArchive:
    """Without a remote: rescues are refs of the coordination repository, and so is the archive."""

    def __init__(self, repository: CoordinationRepository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock

    @property
    def branch(self) -> str:
        return f"refs/kept/{_KEPT_ARCHIVE}"

    def rescues(self) -> list[Rescue]:
        return []  # all are here

    def fetch(self, rescues: Iterable[Rescue]) -> None:
        return

    def archived(self, rescues: Iterable[Rescue]) -> set[Rescue]:
        return set()  # folding ends the ref itself

    def fold(self, rescues: Sequence[Rescue], *, actor: Actor) -> list[Rescue]:
        repository, kept = self._repository, self._repository.kept()
        there = [rescue for rescue in rescues if kept.get(kept_name(rescue)) == rescue.oid]
        if not there:
            return []
        tip = kept.get(_KEPT_ARCHIVE)
        entries = [ArchiveEntry(r, describe(repository, r.oid)[0]) for r in there]
        author = Person(actor.name, actor.email, int(self._clock.now().timestamp()))
        made = archive_commit(repository.objects, Oid(tip) if tip else None, entries, author)
        # One transaction of git's: somebody else's archive is neither overwritten nor lost.
        moves = [f"update {self.branch} {made} {tip or '0' * len(made)}"]
        moves += [f"delete refs/kept/{kept_name(rescue)} {rescue.oid}" for rescue in there]
        done = repository.git.run(
            "update-ref", "--stdin", stdin="\n".join([*moves, ""]).encode(), check=False
        )
        if done.status != 0:
            raise Refused(f"the rescues are in use: {done.stderr.strip()}", next="try again")
        return there


class Rescues:
    """All rescues that this clone can see."""

    def __init__(
        self,
        repository: CoordinationRepository,
        archive: Archive,
        rescuer: Rescuer,
        outbox: Outbox,
    ) -> None:
        self._repository = repository
        self._rescuer = rescuer
        self._outbox = outbox
        self.archive = archive

    def all(self) -> list[Found]:
        """Return the rescues on the remote and those kept here, by task and epoch.

        Raises RemoteUnreachable, HostRefused; then ``here`` still answers.
        """
        published = self.archive.rescues()
        self.archive.fetch(published)
        found = [self._describe(rescue, "remote") for rescue in published]
        unpublished = set(self._rescuer.kept()) - set(published)
        unpublished -= self.archive.archived(unpublished)
        found += [self._describe(rescue, "here") for rescue in unpublished]
        return sorted(found, key=lambda item: (item.rescue.task, item.rescue.epoch, item.at))

    def here(self) -> list[Found]:
        """Return the rescues that are kept in this clone."""
        return [self._describe(rescue, "here") for rescue in self._rescuer.kept()]

    def drop(self, rescues: Sequence[Rescue], *, actor: Actor) -> list[Rescue]:
        """Fold ``rescues`` into the archive and forget their refs; return those folded.

        Those that were not pushed yet are pushed first. Raises as ``Archive.fold``.
        """
        published = set(self.archive.rescues())
        kept = self._rescuer.kept()
        for rescue in rescues:
            if rescue in kept and rescue not in published:
                self._rescuer.push(rescue, actor=actor)
        folded = self.archive.fold(rescues, actor=actor)
        for rescue in folded:
            self._rescuer.forget(rescue)
        gone = {rescue.oid for rescue in folded}
        for entry in self._outbox.entries():
            if entry.kind == "rescue" and entry.body.get("commit") in gone:
                self._outbox.drop(entry)
        return folded

    def find(self, wanted: str, among: Sequence[Found]) -> list[Found]:
        """Return those of ``among`` that ``wanted`` means: ``ID``, ``ID/EPOCH`` or a commit.

        Raises Refused when it means none.
        """
        task, _, rest = wanted.partition("/")
        epoch, _, start = rest.partition("-")
        matching = [
            item
            for item in among
            if (item.rescue.task == task and _fits(item.rescue, epoch, start))
            or (not rest and len(wanted) >= 7 and item.rescue.oid.startswith(wanted))
        ]
        if not matching:
            raise Refused(
                f"there is no rescue {wanted!r}", code="unknown_rescue", next="baton rescue list"
            )
        return matching

    def _describe(self, rescue: Rescue, where: Literal["remote", "here"]) -> Found:
        subject, at = describe(self._repository, rescue.oid)
        return Found(rescue, where, subject, at)


def describe(repository: CoordinationRepository, oid: Oid) -> tuple[str, str]:
    """Return a commit's subject and when it was made; of what is no commit, that."""
    if find_commit(repository, oid) != oid:
        return "(not a commit)", ""
    at, _, subject = repository.git.run("log", "-1", "--format=%ct %s", oid).text.partition(" ")
    return subject, rfc3339(datetime.fromtimestamp(int(at), UTC))


def _fits(rescue: Rescue, epoch: str, start: str) -> bool:
    return epoch in ("", str(rescue.epoch)) and rescue.oid.startswith(start)
