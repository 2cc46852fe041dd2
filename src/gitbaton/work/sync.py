"""Sends what waited for the remote, and says of each entry what became of it.

An entry is dropped only when it was sent, or when it never can be: then its work is on a rescue
ref, or its drafts are in a file. Everything else waits for the next time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import msgspec

from gitbaton.core.errors import (
    BatonError,
    ClaimLost,
    DamagedRecord,
    GateClosed,
    HostRefused,
    InvalidInput,
    RemoteUnreachable,
    TaskExists,
    UnknownTask,
    WrongStatus,
)
from gitbaton.core.ids import Oid
from gitbaton.core.process import Process
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.model import Actor, Rescue
from gitbaton.tasks.claims import Token
from gitbaton.tasks.queue import Queue
from gitbaton.work.additions import Addition, arrived_before, keep_refused
from gitbaton.work.integrate import IntegrationConflict
from gitbaton.work.job import LandJob
from gitbaton.work.landing import ChecksFailed, Lander, LandingLost
from gitbaton.work.outbox import Entry, Outbox
from gitbaton.work.rescue import Rescuer

BodyT = TypeVar("BodyT")
Fate = Literal["landed", "added", "done", "rescued", "refused", "waiting"]

_TOO_LATE = (ClaimLost, UnknownTask, WrongStatus)
_NOT_GOOD_ENOUGH = (IntegrationConflict, ChecksFailed, LandingLost, InvalidInput)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one entry.

    ``fate``: ``landed``, ``added``, ``done`` (the record was changed), ``rescued`` (it cannot
    land: the work is on a rescue ref), ``refused`` (it cannot be sent, and there is no work to
    save), ``waiting`` (for the reason ``error``; None: another process is at it).
    """

    kind: str
    task: str
    fate: Fate
    text: str
    token: Token | None = None
    error: BatonError | None = None
    next: str | None = None


class _End(msgspec.Struct, frozen=True, kw_only=True):
    token: str
    reason: str


class _Saved(msgspec.Struct, frozen=True, kw_only=True):
    task: str
    epoch: int
    commit: str
    actor: str


class Sync:
    """Empties the outbox of one clone, in order. Several at once do no harm.

    ``owner`` is this process. ``permit`` returns a landing as the project's rules have it now,
    or raises GateClosed: the rules may have changed since it was queued.
    """

    def __init__(
        self,
        repository: CoordinationRepository,
        queue: Queue,
        lander: Lander,
        rescuer: Rescuer,
        outbox: Outbox,
        *,
        owner: Process,
        permit: Callable[[LandJob], LandJob],
    ) -> None:
        self._repository = repository
        self._queue = queue
        self._lander = lander
        self._rescuer = rescuer
        self._outbox = outbox
        self._owner = owner
        self._permit = permit

    def run(self) -> list[Sent]:
        """Send every entry that nobody else is at; return what became of each.

        While the remote is away, the rest keeps waiting. So do additions behind one that waits:
        they may need its tasks.
        """
        report: list[Sent] = []
        away: BatonError | None = None
        behind: BatonError | None = None
        for entry in self._outbox.entries():
            obstacle = away or (behind if entry.kind == "add" else None)
            sent = self.send(entry) if obstacle is None else waiting(entry, obstacle)
            report.append(sent)
            if isinstance(sent.error, RemoteUnreachable):
                away = sent.error
            elif entry.kind == "add":
                behind = sent.error
        return report

    def send(self, entry: Entry) -> Sent:
        """Send this one, unless a living process is at it; return what became of it."""
        mine = self._outbox.take(entry, self._owner)
        if mine is None:
            return Sent(entry.kind, entry.task, "waiting", "another process is at it")
        settled = False
        try:
            sent = self._send(mine)
            settled = True
        except BatonError as error:
            sent = waiting(mine, error)
        finally:
            (self._outbox.drop if settled else self._outbox.give_up)(mine)
        return sent

    def _send(self, entry: Entry) -> Sent:
        """Return what became of ``entry`` for good; raise BatonError when it has to wait."""
        match entry.kind:
            case "land":
                return self._land(entry, _body(entry, LandJob))
            case "add":
                return self._add(entry, _body(entry, Addition))
            case "rescue":
                saved = _body(entry, _Saved)
                rescue = Rescue(saved.task, saved.epoch, Oid(saved.commit))
                self._rescuer.push(rescue, actor=Actor(saved.actor))
                return Sent("rescue", entry.task, "rescued", f"epoch {saved.epoch}")
            case "block" | "fail" | "release":
                return self._end(entry, _body(entry, _End))

    def _end(self, entry: Entry, body: _End) -> Sent:
        token = Token.parse(body.token)
        end = {
            "block": self._queue.block,
            "fail": self._queue.fail,
            "release": self._queue.release,
        }[entry.kind]
        try:
            task = end(token, body.reason)
        except _TOO_LATE as error:
            return Sent(entry.kind, entry.task, "refused", error.message, token, next=error.next)
        return Sent(entry.kind, entry.task, "done", f"it is {task.status}", token)

    def _add(self, entry: Entry, addition: Addition) -> Sent:
        try:
            self._queue.add(addition.drafts, actor=Actor(addition.actor, addition.email))
        except (TaskExists, InvalidInput) as error:
            if not arrived_before(addition, self._queue.view()):
                file = keep_refused(addition, self._repository.path, entry.key)
                text = f"{error.message}; what was to be added is in {file}"
                return Sent("add", entry.task, "refused", text, next=f"baton add --from {file}")
        return Sent("add", entry.task, "added", ", ".join(str(d.id) for d in addition.drafts))

    def _land(self, entry: Entry, job: LandJob) -> Sent:
        try:
            landed = self._lander.land(self._permit(job), again=True)
        except _TOO_LATE as error:
            return self._save(entry, job, error)
        except (GateClosed, HostRefused) as error:
            self._give_back(self._queue.block, job, error)
            return self._save(entry, job, error)
        except _NOT_GOOD_ENOUGH as error:
            self._give_back(self._queue.fail, job, error)
            return self._save(entry, job, error)
        if job.way == "branch" and landed.commit != job.commit:
            other = ClaimLost(job.proof.task, f"epoch {job.proof.epoch} landed another commit")
            return self._save(entry, job, other)
        self._forget(job)
        where = f"on {landed.branch}" if landed.branch else "without a branch"
        return Sent("land", entry.task, "landed", where, job.proof)

    def _give_back(
        self, end: Callable[[Token, str], object], job: LandJob, why: BatonError
    ) -> None:
        """End the claim of a result that cannot land: for people (block), or as a failed attempt.

        Raises RemoteUnreachable, HostRefused; then all of it waits.
        """
        try:
            end(job.proof, f"it could not land: {why.message}")
        except _TOO_LATE:
            return  # it was taken away meanwhile

    def _save(self, entry: Entry, job: LandJob, why: BatonError) -> Sent:
        """Save the work of a result that will never land as it was meant (I3)."""
        if job.oid is None:
            return Sent("land", entry.task, "refused", why.message, job.proof, next=why.next)
        proof = job.proof
        saved = self._rescuer.save(proof.task, proof.epoch, job.oid, actor=Actor(job.agent))
        self._forget(job)
        place = "" if saved.pushed else "; kept here until the remote takes it"
        next = f"baton rescue restore {proof.task}/{proof.epoch}"
        return Sent("land", entry.task, "rescued", why.message + place, proof, next=next)

    def _forget(self, job: LandJob) -> None:
        """Release what kept the commit while it waited, unless it keeps another one by now."""
        name = queued_name(job.proof)
        if job.commit is not None and self._repository.kept().get(name) == job.commit:
            self._repository.release(name)


def queued_name(token: Token) -> str:
    """Return the name under which the result of a claim is kept while it waits to land."""
    return f"queued/{token.task}-e{token.epoch}"


def waiting(entry: Entry, error: BatonError) -> Sent:
    """Return that ``entry`` waits because of ``error``."""
    return Sent(entry.kind, entry.task, "waiting", error.message, error=error, next=error.next)


def _body(entry: Entry, kind: type[BodyT]) -> BodyT:
    plain: dict[str, Any] = dict(entry.body)
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        raise DamagedRecord(f"an entry of the outbox cannot be read: {error}") from error
