"""The registry: workers announce themselves, beat, and take their leave; anybody looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.errors import BatonError, DamagedRecord, HostRefused, OutcomeUnknown, Refused
from gitbaton.core.ids import new_nonce
from gitbaton.plans.registry.presence import Sighted
from gitbaton.plans.registry.record import (
    COLLECTION,
    UP,
    Address,
    State,
    WorkerRecord,
    check_worker,
    decode_worker,
    encode_worker,
    worker_key,
)
from gitbaton.plans.registry.vitals import Vitals
from gitbaton.plans.registry.watching import Watch
from gitbaton.store.model import (
    ABSENT,
    Absent,
    Actor,
    Committed,
    Conflict,
    Key,
    Rejected,
    Snapshot,
    Transaction,
    Version,
)
from gitbaton.store.protocol import Store

_TRIES: Final = 12
_PREFIX: Final = f"{COLLECTION}/"


class Replaced(Refused):
    """Another process serves under this worker's name now; this one's record is no longer its."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"another process serves as {name!r} now",
            code="replaced",
            next="give each worker a name of its own: baton worker serve --name NAME",
        )


class NameTaken(Refused):
    """A worker of this name is up on another machine, for all that its record says."""

    def __init__(self, holder: WorkerRecord) -> None:
        super().__init__(
            f"a worker {holder.name!r} is up on {holder.machine}, by its record",
            code="name_taken",
            next="take another name: baton worker serve --name NAME (or insist: --take-over)",
        )


@dataclass(frozen=True, slots=True)
class Workers:
    """All workers at one moment, by name, and the records that cannot be read."""

    found: Mapping[str, Sighted]
    damaged: Mapping[Key, str] = field(default_factory=dict)


@dataclass(slots=True)
class Post:
    """A worker's hold on its own record: what it wrote last, and the version of that.

    ``version`` None: a write whose fate is not known; the record is read before the next one.
    """

    worker: WorkerRecord
    version: Version | None


class Registry:
    """The worker records on ``store``, as one observer sees and changes them."""

    def __init__(self, store: Store, clock: Clock, watch: Watch, actor: Actor) -> None:
        self._store = store
        self._clock = clock
        self._watch = watch
        self._actor = actor

    def list(self) -> Workers:
        """Return all workers; this counts as a look of the observer.

        Raises RemoteUnreachable, HostRefused.
        """
        return self.sighted_in(self._store.read(_PREFIX))

    def sighted_in(self, snapshot: Snapshot) -> Workers:
        """Return all workers in ``snapshot``, which was just taken; it counts as a look too."""
        known: dict[str, tuple[WorkerRecord, Version]] = {}
        damaged = {key: why for key, why in snapshot.damaged.items() if key.startswith(_PREFIX)}
        for key, record in snapshot.live.items():  # workers are never parked
            if not key.startswith(_PREFIX):
                continue
            try:
                worker = decode_worker(key, record.value)
            except DamagedRecord as error:
                damaged[key] = error.message
                continue
            known[worker.name] = (worker, record.version)
        watched = self._watch.look(known, asked=snapshot.asked, answered=snapshot.answered)
        return Workers(
            {
                name: Sighted(worker, version, watched.get(name, 0.0))
                for name, (worker, version) in sorted(known.items())
            },
            damaged,
        )

    def add(self, name: str, machine: str, address: Address, **facts: object) -> WorkerRecord:
        """Record a machine and how it is reached; of a worker that is known, change only that.

        ``facts`` are further fields for a worker that nobody has served as yet. Raises
        InvalidInput, and as ``announce``.
        """

        def change(present: WorkerRecord | None) -> WorkerRecord:
            if present is None:
                return replace(WorkerRecord(name=name, machine=machine), address=address, **facts)
            if present.state is State.ABSENT:
                return replace(present, machine=machine, address=address, **facts)
            return replace(present, address=address)

        return self._write(name, change, "add").worker

    def announce(self, worker: WorkerRecord, *, take_over: bool = False) -> Post:
        """Say that ``worker`` is up from now on, in a new session; return its post.

        The address stays what it was if ``worker`` brings none. An earlier session of the same
        machine is replaced, and finds out at its next beat; that of another machine only with
        ``take_over``. None of this protects results: claims do, by their epochs. Raises Refused
        (``name_taken``), InvalidInput, RemoteUnreachable, HostRefused, DamagedRecord.
        """
        now = rfc3339(self._clock.now())
        session = new_nonce()

        def change(present: WorkerRecord | None) -> WorkerRecord:
            elsewhere = present and present.state in UP and present.machine != worker.machine
            if present and elsewhere and not take_over:
                raise NameTaken(present)
            return replace(
                worker,
                state=State.REFUSING if worker.reason else State.SERVING,
                session=session,
                beat=present.beat + 1 if present else 1,
                address=worker.address or (present.address if present else None),
                started_at=now,
                beat_at=now,
            )

        return self._write(worker.name, change, "serve")

    def beat(self, post: Post, vitals: Vitals) -> None:
        """Say "still here", and what is new: one write of one record, usually without a look.

        Raises Replaced, and as ``announce``; the next beat makes up for one that failed.
        """
        self._update(post, vitals.applied, "renew")

    def propose(self, post: Post, vitals: Vitals) -> tuple[WorkerRecord, Transaction] | None:
        """Return a beat that may go along with another push, and the record as it then is.

        Asks nobody. None: the record has to be read before it is written again.
        """
        if post.version is None:
            return None
        worker = self._next(vitals.applied(post.worker))
        return worker, self._change(worker, post.version, "renew")

    def withdraw(self, post: Post) -> None:
        """Say good-bye. Raises as ``beat``."""
        self._update(
            post,
            lambda present: replace(present, state=State.GONE, reason=None, busy=(), load=None),
            "leave",
        )

    def _update(
        self, post: Post, change: Callable[[WorkerRecord], WorkerRecord], word: str
    ) -> None:
        mine = post.worker.session

        def next_one(present: WorkerRecord | None) -> WorkerRecord:
            if present is None or present.session != mine:
                raise Replaced(post.worker.name)
            return self._next(change(present))

        known = None if post.version is None else (post.worker, post.version)
        post.version = None  # until the answer is here
        done = self._write(post.worker.name, next_one, word, known=known)
        post.worker, post.version = done.worker, done.version

    def _write(
        self,
        name: str,
        change: Callable[[WorkerRecord | None], WorkerRecord],
        word: str,
        *,
        known: tuple[WorkerRecord, Version] | None = None,
    ) -> Post:
        """Replace the record of ``name`` by what ``change`` makes of it, by compare-and-swap."""
        key = worker_key(name)
        present: tuple[WorkerRecord, Version] | None = known or self._read(key)
        for _ in range(_TRIES):
            worker = change(None if present is None else present[0])
            check_worker(worker)
            version: Version | Absent = ABSENT if present is None else present[1]
            [outcome] = self._store.commit([self._change(worker, version, word)])
            if isinstance(outcome, Committed):
                return Post(worker, outcome.versions[key])
            if not isinstance(outcome, Conflict):
                raise _failure(outcome)
            found = outcome.found.get(key, ABSENT)
            present = (
                None
                if isinstance(found, Absent)
                else (decode_worker(key, found.value), found.version)
            )
        raise Refused(
            f"the record of worker {name!r} kept changing",
            code="busy",
            next="the same command again",
        )

    def _next(self, worker: WorkerRecord) -> WorkerRecord:
        return replace(worker, beat=worker.beat + 1, beat_at=rfc3339(self._clock.now()))

    def _change(self, worker: WorkerRecord, version: Version | Absent, word: str) -> Transaction:
        return Transaction(
            expect={worker.key: version},
            write={worker.key: encode_worker(worker)},
            subject=f"{word}: worker {worker.name}",
            actor=self._actor,
            heartbeat=word == "renew",
        )

    def _read(self, key: Key) -> tuple[WorkerRecord, Version] | None:
        snapshot = self._store.read(key)
        if key in snapshot.damaged:
            raise DamagedRecord(f"{key}: {snapshot.damaged[key]}", next="baton doctor")
        record = snapshot.records.get(key)
        return None if record is None else (decode_worker(key, record.value), record.version)


def _failure(outcome: object) -> BatonError:
    if isinstance(outcome, Rejected):
        return HostRefused(outcome.reason, ref=outcome.ref)
    return OutcomeUnknown(
        f"a write of a worker's record: {getattr(outcome, 'reason', outcome)}",
        next="baton worker list",
    )
