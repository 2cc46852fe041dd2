"""Sends what waited for the remote, and says of each entry what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError, ClaimLost, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.core.process import is_alive
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.model import Actor, Rescue
from gitbaton.tasks.claims import Token
from gitbaton.tasks.drafts import Draft
from gitbaton.tasks.queue import Queue
from gitbaton.work.job import LandJob
from gitbaton.work.landing import Lander
from gitbaton.work.outbox import Entry, Outbox
from gitbaton.work.rescue import Rescuer


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one entry.

    ``fate``: ``landed``, ``added``, ``done`` (the record was changed), ``rescued`` (too late: the
    work is on a rescue ref), ``refused`` (too late, nothing to save), ``waiting`` (the remote is
    still away, or another process is at it).
    """

    kind: str
    task: str
    fate: Literal["landed", "added", "done", "rescued", "refused", "waiting"]
    text: str
    token: Token | None = None


class Sync:
    """Empties the outbox of one clone, in order. Several at once do no harm."""

    def __init__(
        self,
        repository: CoordinationRepository,
        queue: Queue,
        lander: Lander,
        rescuer: Rescuer,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self._repository = repository
        self._queue = queue
        self._lander = lander
        self._rescuer = rescuer
        self._outbox = outbox
        self._clock = clock

    def run(self) -> list[Sent]:
        """Send every entry that nobody else is at; return what became of each.

        While the remote is away, the rest keeps waiting. An entry that fails for another reason
        is reported and stays for the next time, except where its claim is lost.
        """
        report: list[Sent] = []
        away: str | None = None
        for entry in self._outbox.entries():
            if entry.owner is not None and is_alive(entry.owner, origin=self._clock.origin):
                report.append(Sent(entry.kind, entry.task, "waiting", "a worker is at it"))
                continue
            if away is not None:
                report.append(Sent(entry.kind, entry.task, "waiting", away))
                continue
            try:
                sent = self._send(entry)
            except RemoteUnreachable as error:
                away = error.message
                report.append(Sent(entry.kind, entry.task, "waiting", away))
                continue
            except BatonError as error:
                sent = self._too_late(entry, error)
            self._outbox.drop(entry)
            report.append(sent)
        return report

    def _send(self, entry: Entry) -> Sent:
        body = entry.body
        match entry.kind:
            case "land":
                return self._land(entry)
            case "add":
                drafts = msgspec.convert(body["drafts"], list[Draft])
                actor = Actor(body["actor"], body["email"])
                tasks = self._queue.add(drafts, actor=actor)
                return Sent("add", entry.task, "added", ", ".join(task.id for task in tasks))
            case "rescue":
                self._rescuer.push(_rescue(body), actor=Actor(body["actor"]))
                return Sent("rescue", entry.task, "rescued", f"epoch {body['epoch']}")
            case "block" | "fail" | "release":
                token = Token.parse(body["token"])
                end = {
                    "block": self._queue.block,
                    "fail": self._queue.fail,
                    "release": self._queue.release,
                }[entry.kind]
                task = end(token, body["reason"])
                return Sent(entry.kind, entry.task, "done", f"{task.id} is {task.status}", token)

    def _land(self, entry: Entry) -> Sent:
        job = msgspec.convert(dict(entry.body), LandJob)
        landed = self._lander.land(job, again=True)
        self._forget(job)
        where = f"on {landed.branch}" if landed.branch else "without a change"
        return Sent("land", entry.task, "landed", where, job.proof)

    def _too_late(self, entry: Entry, error: BatonError) -> Sent:
        """Save the work of an entry that can no longer be sent as it was meant."""
        if entry.kind != "land":
            return Sent(entry.kind, entry.task, "refused", error.message)
        job = msgspec.convert(dict(entry.body), LandJob)
        if not isinstance(error, ClaimLost):
            self._end_claim(job, error)
        if job.oid is None:
            return Sent("land", entry.task, "refused", error.message, job.proof)
        proof = job.proof
        self._rescuer.save(proof.task, proof.epoch, job.oid, actor=Actor(job.agent))
        self._forget(job)
        return Sent("land", entry.task, "rescued", error.message, proof)

    def _end_claim(self, job: LandJob, error: BatonError) -> None:
        """The claim is still ours, but the result cannot land: the attempt has failed."""
        try:
            self._queue.fail(job.proof, error.message)
        except BatonError:
            return  # it will lapse

    def _forget(self, job: LandJob) -> None:
        for name, oid in self._repository.kept().items():
            if name.startswith("queued/") and oid == job.commit:
                self._repository.release(name)


def _rescue(body: Any) -> Rescue:
    return Rescue(body["task"], int(body["epoch"]), Oid(body["commit"]))
