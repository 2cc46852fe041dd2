"""Remembers for how long workers were watched, between runs: `worker list` can tell who is lost."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from typing import Final

import msgspec

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError
from gitbaton.plans.registry.presence import watched_subject
from gitbaton.plans.registry.record import WorkerRecord
from gitbaton.store.model import ABSENT, Actor, Record, Transaction, Version, make_key
from gitbaton.store.protocol import Store
from gitbaton.tasks.leases import Observation, look

_OBSERVER: Final = Actor("observer")


class Watch:
    """The observations of one machine of the workers of one ``remote``. Thread-safe.

    They are one record in ``local`` (the clone's own engine). Of observers that write at once one
    update is lost, which can only make the watched time shorter; where the store fails, this
    process goes on with what it knows itself.
    """

    def __init__(self, local: Store, clock: Clock, remote: str) -> None:
        self._local, self._clock = local, clock
        name = hashlib.sha256(remote.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._key = make_key("worker-sights", name)
        self._known: dict[str, Observation] = {}
        self._lock = threading.Lock()

    def look(
        self,
        workers: Mapping[str, tuple[WorkerRecord, Version]],
        *,
        asked: float,
        answered: float,
    ) -> dict[str, float]:
        """Take note of a look at all workers; return for how many seconds each was watched."""
        with self._lock:
            record = self._load()
            before = self._known if record is None else self._trusted(record)
            after = {
                name: look(
                    before.get(name),
                    subject,
                    origin=self._clock.origin,
                    asked=asked,
                    answered=answered,
                )
                for name, (worker, version) in workers.items()
                if (subject := watched_subject(worker, version)) is not None
            }
            self._known = after
            if after != before:
                self._keep(record, after)
            return {
                name: seen.watched
                for name, seen in after.items()
                # Another process may have looked later than this one, and seen a newer version.
                if (subject := watched_subject(*workers[name])) and subject.mark == seen.mark
            }

    def _trusted(self, record: Record) -> dict[str, Observation]:
        """Return what was kept, as far as this clock can have seen it: nothing of its future."""
        try:
            seen = msgspec.convert(record.value.get("seen"), dict[str, Observation])
        except msgspec.ValidationError:
            return {}  # then every sight is a first one
        now = self._clock.elapsed()
        return {name: o for name, o in seen.items() if o.watched >= 0 and o.answered <= now}

    def _load(self) -> Record | None:
        try:
            return self._local.read(self._key).records.get(self._key)
        except BatonError:
            return None

    def _keep(self, record: Record | None, after: Mapping[str, Observation]) -> None:
        change = Transaction(
            expect={self._key: ABSENT if record is None else record.version},
            write={self._key: {"format": 1, "seen": msgspec.to_builtins(dict(after))}},
            subject="renew: which workers were seen",
            actor=_OBSERVER,
            heartbeat=True,
        )
        try:
            self._local.commit([change])
        except BatonError:
            return  # a full disk must not keep anybody from seeing the workers
