"""``gc``: frees what holds nothing unique in one clone, and says what it kept and why (I3).

Each step may be killed anywhere and be run by several at once. What needs the remote is left out
while it is away.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError, DamagedRecord, HostRefused, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.core.process import Process, same_process
from gitbaton.git.history import unreachable
from gitbaton.git.remote import Remote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.model import Actor, Rescue
from gitbaton.work.aging import RescueAges
from gitbaton.work.archive import Rescues
from gitbaton.work.holdings import find_left
from gitbaton.work.logbook import find_logs
from gitbaton.work.orphans import sweep
from gitbaton.work.outbox import Entry, Outbox
from gitbaton.work.packing import pack_objects
from gitbaton.work.record import load_record, recorded_names
from gitbaton.work.rescue import Rescuer, kept_name
from gitbaton.work.returning import DIED, Returner
from gitbaton.work.sync import Sent

LOG_AGE: Final = 30 * 86400.0  # seconds that logs and prompts of finished claims are kept
QUEUED_AGE: Final = 86400.0  # seconds: whoever keeps a commit queues it within moments
GRACE: Final = 10.0  # seconds that processes of a dead worker's agent have to end
_ACTOR = Actor("gitbaton")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was freed or kept: ``worktree``, ``log``, ``prompt``, ``rescue``, …"""

    kind: str
    what: str
    why: str


@dataclass(slots=True)
class Cleaned:
    """What `gc` did (or would do: dry run). ``obstacle``: what kept it from doing all."""

    freed: list[Item] = field(default_factory=list)
    kept: list[Item] = field(default_factory=list)
    obstacle: BatonError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaner:
    """Frees what can be freed in one clone. Durations in seconds.

    ``alive``: tells whether a process that owns something here may still run.
    """

    repository: CoordinationRepository
    remote: Remote
    outbox: Outbox
    send: Callable[[Entry], Sent]
    returner: Returner
    rescuer: Rescuer
    rescues: Rescues
    ages: RescueAges
    owner: Process
    alive: Callable[[Process], bool]
    clock: Clock
    worktrees: Path
    prompts: Path
    logs: Path
    throw_away: Sequence[str]
    rescue_age: float
    log_age: float = LOG_AGE

    def run(self, *, dry_run: bool) -> Cleaned:
        """Free what can be freed; ``dry_run``: only say what would be."""
        done = Cleaned()
        heads = self._heads(done)
        steps: Sequence[Callable[[], None]] = (
            lambda: self._free_worktrees(done, heads, dry_run=dry_run),
            lambda: self._free_outbox(dry_run=dry_run),
            lambda: self._free_claims(done, dry_run=dry_run),
            lambda: self._free_queued(done, heads, dry_run=dry_run),
            lambda: self._file_rescues(done, dry_run=dry_run),
            lambda: self._free_files(done, dry_run=dry_run),
            lambda: self._pack(done, dry_run=dry_run),
        )
        for step in steps:
            try:
                step()
            except BatonError as error:
                done.obstacle = done.obstacle or error
        return done

    def _heads(self, done: Cleaned) -> set[Oid]:
        """Return the tips of the remote's branches: what they contain is safe."""
        try:
            return set(self.remote.list(["refs/heads/"]).refs.values())
        except (RemoteUnreachable, HostRefused) as error:
            done.obstacle = error
            return set()

    # --- worktrees of workers that died

    def _free_worktrees(self, done: Cleaned, heads: set[Oid], *, dry_run: bool) -> None:
        if dry_run:
            self._judge_worktrees(done, self._published(heads))
            return
        orphans = sweep(
            self.repository,
            self.worktrees,
            alive=self.alive,
            owner=self.owner,
            bereaved=self.returner.give_back,
        )
        for text in orphans.damaged:
            done.kept.append(Item("worktree", text, "its record cannot be read"))
        for place in orphans.strange:
            done.kept.append(Item("worktree", str(place), "nobody recorded it"))
        published = self._published(heads)  # what the dead were landing is kept by now
        for worktree in orphans.adopted:
            record, path = worktree.record, str(worktree.path)
            try:
                rescued = self.rescuer.clear_away(
                    worktree,
                    published,
                    self.throw_away,
                    reason=DIED,
                    actor=Actor(f"{record.task} epoch {record.epoch}"),
                    clock=self.clock,
                )
            except BatonError as error:
                done.kept.append(Item("worktree", path, error.message.partition(": ")[2]))
                continue
            why = "held nothing unique"
            if rescued is not None:
                why = f"its work is rescued as {rescued.rescue.oid[:10]}"
            done.freed.append(Item("worktree", path, why))
        done.kept.extend(self._living())

    def _published(self, heads: set[Oid]) -> set[Oid]:
        return heads | {Oid(oid) for oid in self.repository.kept().values()}

    def _judge_worktrees(self, done: Cleaned, published: set[Oid]) -> None:
        found = find_left(
            self.repository,
            in_use=lambda record: self.alive(record.owner),
            published=published,
            throw_away=self.throw_away,
        )
        for left in found:
            if left.reasons:
                done.kept.append(Item("worktree", str(left.path), "; ".join(left.reasons)))
            else:
                why = "after a rescue" if left.unique else "holds nothing unique"
                done.freed.append(Item("worktree", str(left.path), why))
        done.kept.extend(self._living())

    def _living(self) -> Iterator[Item]:
        """Yield the worktrees that a living worker looks after."""
        for name in recorded_names(self.repository):
            with contextlib.suppress(DamagedRecord):  # the sweep has told
                record = load_record(self.repository, name)
                if record is None or same_process(record.owner, self.owner):
                    continue
                if self.alive(record.owner):
                    yield Item("worktree", record.path, "a living worker looks after it")

    def _free_outbox(self, *, dry_run: bool) -> None:
        """Leave to whoever comes next what dead processes were about to send."""
        for entry in () if dry_run else self.outbox.entries():
            if entry.owner is not None and not self.alive(entry.owner):
                self.outbox.give_up(entry)

    def _free_claims(self, done: Cleaned, *, dry_run: bool) -> None:
        """Give the claims of those workers back now, rather than with the next `sync`."""
        for entry in () if dry_run else self.outbox.entries():
            if entry.kind == "fail" and entry.body.get("reason") == DIED:
                sent = self.send(entry)
                if sent.error is not None:
                    raise sent.error
                if sent.fate == "done":
                    done.freed.append(Item("claim", sent.task, DIED))

    # --- commits kept for landings that are no longer queued

    def _free_queued(self, done: Cleaned, heads: set[Oid], *, dry_run: bool) -> None:
        """Release what was kept for a landing that is no longer in the outbox.

        A worker that was killed just before it queued one leaves such a ref: then the work is on
        no branch, and is rescued.
        """
        if done.obstacle is not None:
            return  # what is on the remote is not known
        waiting = {entry.body.get("commit") for entry in self.outbox.entries()}
        for name, oid in self.repository.kept().items():
            word, _, claim = name.partition("/")
            task, _, epoch = claim.rpartition("-e")
            if word != "queued" or oid in waiting or not epoch.isdigit() or self._is_fresh(name):
                continue
            lost = bool(unreachable(self.repository, [Oid(oid)], heads | set(self._rescued())))
            if not dry_run:
                if lost:
                    self.rescuer.save(task, int(epoch), Oid(oid), actor=_ACTOR)
                self._release(name, oid)
            why = "rescued: it never landed" if lost else "it is published"
            done.freed.append(Item("queued", name, why))

    def _rescued(self) -> Iterator[Oid]:
        return (rescue.oid for rescue in self.rescuer.kept())

    def _is_fresh(self, name: str) -> bool:
        """Tell whether the ref was written lately: its writer may be about to queue it.

        An agent's `git gc` may have packed the refs; then the pack's age counts.
        """
        for path in (
            self.repository.path / f"refs/kept/{name}",
            self.repository.path / "packed-refs",
        ):
            with contextlib.suppress(FileNotFoundError):
                return self._age(path) < QUEUED_AGE
        return True

    # --- rescues

    def _file_rescues(self, done: Cleaned, *, dry_run: bool) -> None:
        """Fold old rescues into the archive, and forget here what the remote keeps."""
        found = [item.rescue for item in self.rescues.all()]
        old = self.ages.older_than(self.rescue_age, found, remember=not dry_run)
        if old:
            folded = old if dry_run else self.rescues.drop(old, actor=_ACTOR)
            where = f"old: filed in {self.rescues.archive.branch}"
            done.freed += [Item("rescue", _name(rescue), where) for rescue in folded]
        kept = set(self.rescuer.kept())
        there = kept & set(self.rescues.archive.rescues())
        there |= self.rescues.archive.archived(kept - there)
        for rescue in sorted(kept, key=_name):
            if rescue in there:
                done.freed.append(Item("copy", _name(rescue), "the remote keeps it"))
            if not dry_run and rescue in there:
                self._release(kept_name(rescue), rescue.oid)
            elif not dry_run:
                self.rescuer.push(rescue, actor=_ACTOR)

    # --- files

    def _free_files(self, done: Cleaned, *, dry_run: bool) -> None:
        """Delete the logs and prompts of claims that ended long ago, by the files' own age."""
        open_claims = set(recorded_names(self.repository))
        files = [("log", f"{log.task}-e{log.epoch}", log.path) for log in find_logs(self.logs)]
        files += [("prompt", path.stem, path) for path in sorted(self.prompts.glob("*-e*.md"))]
        for kind, claim, path in files:
            with contextlib.suppress(FileNotFoundError):
                if claim not in open_claims and self._age(path) > self.log_age:
                    if not dry_run:
                        path.unlink()
                    done.freed.append(Item(kind, str(path), "its claim ended long ago"))

    def _pack(self, done: Cleaned, *, dry_run: bool) -> None:
        if dry_run:
            return
        counted = pack_objects(self.repository)
        if counted is None:
            done.kept.append(Item("objects", "objects", "another process is packing them"))
        elif counted.after < counted.before:
            what = f"{counted.before} files"
            done.freed.append(Item("objects", what, f"packed into {counted.after}"))

    # --- small things

    def _age(self, path: Path) -> float:
        """Return seconds since ``path`` was written: file and clock are of this machine (I5)."""
        return self.clock.now().timestamp() - path.stat().st_mtime

    def _release(self, name: str, oid: str) -> None:
        """Forget a kept ref unless it has been moved meanwhile."""
        self.repository.git.run("update-ref", "-d", f"refs/kept/{name}", oid, check=False)


def _name(rescue: Rescue) -> str:
    return f"{rescue.task}/{rescue.epoch} {rescue.oid[:10]}"
