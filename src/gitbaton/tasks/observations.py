"""What this machine has seen and for how long, kept between runs: a cron job can reap."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from typing import Final

import msgspec

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError
from gitbaton.core.ids import TaskId
from gitbaton.store.model import (
    ABSENT,
    Actor,
    Key,
    Record,
    Transaction,
    Value,
    make_key,
)
from gitbaton.store.protocol import Store
from gitbaton.tasks.leases import Observation, Sight, look, subjects
from gitbaton.tasks.view import View

_OBSERVER: Final = Actor("observer")
_SOON: Final = 0.5  # seconds: looks closer together than this need not all be written down


class Observer:
    """Watches tasks of one remote on one machine's clock, through all its processes and runs.

    The observations are one record in ``store`` (the clone's own engine), read and replaced by
    compare-and-swap. Of observers that write at once one update is lost, which can only make the
    watched time shorter. Where the store fails, this process goes on with what it knows itself.
    """

    def __init__(self, store: Store, clock: Clock, remote: str) -> None:
        self._store = store
        self._clock = clock
        name = hashlib.sha256(remote.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._key = make_key("sights", name)
        self._known: dict[str, Observation] = {}
        self._lock = threading.Lock()

    def look(self, view: View) -> Mapping[TaskId, Sight]:
        """Take note of a successful look at all tasks; return for how long each was watched.

        Time matters for live tasks only, and not for all: the others are not in the answer.
        """
        with self._lock:
            record = self._load()
            before = self._known if record is None else self._trusted(_decode(record.value))
            after, sights = self._extend(before, view)
            self._known = after
            if _worth_keeping(before, after):
                self._keep(record, after)
            return sights

    def recall(self, view: View) -> Mapping[TaskId, Sight]:
        """Return for how long each task in a view that is no look was watched, by the last look.

        A recalled view proves nothing new: it shows again what a look has shown, besides changes
        of our own, which nobody has watched yet. So nothing is noted, and no time is counted.
        """
        with self._lock:
            known = self._known
        sights: dict[TaskId, Sight] = {}
        for id in {TaskId(name.partition(" ")[2]) for name in known}:
            task = view.live.get(id)
            if task is None:
                continue
            watched = {
                subject.kind: seen.watched
                for subject in subjects(task, view.versions[id])
                if (seen := known.get(f"{subject.kind} {id}")) is not None
                and seen.mark == subject.mark
            }
            if watched:
                sights[id] = Sight(**watched)
        return sights

    def _extend(
        self, before: Mapping[str, Observation], view: View
    ) -> tuple[dict[str, Observation], dict[TaskId, Sight]]:
        after: dict[str, Observation] = {}
        sights: dict[TaskId, Sight] = {}
        for id, task in view.live.items():
            watched: dict[str, float] = {}
            for subject in subjects(task, view.versions[id]):
                name = f"{subject.kind} {id}"
                after[name] = look(
                    before.get(name),
                    subject,
                    origin=self._clock.origin,
                    asked=view.asked,
                    answered=view.answered,
                )
                same = after[name].mark == subject.mark
                watched[subject.kind] = after[name].watched if same else 0.0
            if watched:
                sights[id] = Sight(**watched)
        return after, sights

    def _trusted(self, seen: Mapping[str, Observation]) -> Mapping[str, Observation]:
        """Return what this clock can have seen: nothing of its own future."""
        now = self._clock.elapsed()
        return {name: o for name, o in seen.items() if o.watched >= 0 and o.answered <= now}

    def _load(self) -> Record | None:
        try:
            return self._store.read(self._key).records.get(self._key)
        except BatonError:
            return None

    def _keep(self, record: Record | None, after: Mapping[str, Observation]) -> None:
        write: dict[Key, Value] = {self._key: _encode(after)}
        change = Transaction(
            expect={self._key: ABSENT if record is None else record.version},
            write=write,
            subject="renew: what was seen",
            actor=_OBSERVER,
            heartbeat=True,
        )
        try:
            self._store.commit([change])
        except BatonError:
            return  # a full disk must not keep anybody from reading the tasks


def _worth_keeping(before: Mapping[str, Observation], after: Mapping[str, Observation]) -> bool:
    """Tell whether forgetting this look could cost watched time (or keep a dead entry)."""
    if before.keys() != after.keys():
        return True
    return any(
        (old.mark, old.cap, old.origin) != (new.mark, new.cap, new.origin)
        or new.answered - old.answered >= min(_SOON, new.cap / 4)
        for old, new in ((before[name], after[name]) for name in after)
    )


def _encode(known: Mapping[str, Observation]) -> Value:
    return {"format": 1, "seen": msgspec.to_builtins(dict(known))}


def _decode(value: Value) -> dict[str, Observation]:
    """Return what was kept; nothing when it cannot be read: then every sight is a first one."""
    try:
        return msgspec.convert(value.get("seen"), dict[str, Observation])
    except msgspec.ValidationError:
        return {}
