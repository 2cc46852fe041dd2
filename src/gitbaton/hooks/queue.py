"""What waits to be delivered, and what could not be: kept on disk, bounded, for all processes.

An entry is in the clone's own engine until it was delivered, so what a killed worker had yet to
tell is told by the next one. The event's id is part of the key: an event that is put twice waits
once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import msgspec

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.process import Process, is_alive, same_process
from gitbaton.hooks.event import Event
from gitbaton.store.model import (
    ABSENT,
    DELETE,
    Actor,
    Committed,
    Delete,
    Key,
    Record,
    Transaction,
    Value,
    Version,
)
from gitbaton.store.protocol import Store

MOST_WAITING: Final = 1000
MOST_DEAD: Final = 200

_ACTOR: Final = Actor("hooks")
_WAITING: Final = "hooks/"
_DEAD: Final = "dead-hooks/"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event for one hook. ``owner``: who delivers it; while that process lives, nobody else.

    ``trouble``: what the last of ``attempts`` failed of.
    """

    hook: str
    event: Event
    number: int
    attempts: int
    trouble: str
    owner: Process | None
    key: Key
    version: Version


class Queue:
    """The entries of one clone, in the order in which they were put.

    ``alive``: tells whether a process that delivers an entry may still run.
    """

    def __init__(
        self,
        local: Store,
        clock: Clock,
        me: Process,
        alive: Callable[[Process], bool] | None = None,
    ) -> None:
        self._local, self._clock, self._me = local, clock, me
        self._alive = alive or partial(is_alive, origin=clock.origin)

    def put(self, event: Event, hooks: Iterable[str]) -> int:
        """Keep ``event`` for each of ``hooks``; return for how many there was no room.

        Who put it delivers it, as long as this process lives. Raises BatonError when it cannot
        be kept.
        """
        waiting = self._local.read(_WAITING).records
        last = max((int(record.value.get("number", 0)) for record in waiting.values()), default=0)
        # Behind all that waits, and mostly behind what waited: the wall clock may be set back.
        number = max(int(self._clock.now().timestamp() * 1000), last + 1)
        room = MOST_WAITING - len(waiting)
        changes = []
        wanted = list(hooks)
        for hook in wanted[: max(room, 0)]:
            key = Key(f"{_WAITING}{event.id} {hook}")
            value = _encode(hook, event, number, 0, "", self._me)
            changes.append(self._change(key, None, value, f"put: {event.event}"))
        self._local.commit(changes)  # a conflict: the very same event waits already
        return len(wanted) - len(changes)

    def waiting(self) -> list[Entry]:
        """Return what waits, oldest first."""
        return self._entries(_WAITING)

    def mine(self, hook: str) -> list[Entry]:
        """Return what this process is to deliver to ``hook``, oldest first.

        An entry of a process that has ended becomes this one's, unless another was faster.
        """
        found = []
        for entry in self.waiting():
            if entry.hook != hook:
                continue
            if same_process(entry.owner, self._me):
                found.append(entry)
            elif entry.owner is None or not self._alive(entry.owner):
                taken = self._update(replace(entry, owner=self._me), "take")
                if taken is not None:
                    found.append(taken)
        return found

    def strays(self, known: Iterable[str]) -> list[Entry]:
        """Return what waits for no hook of ``known`` and for no process that lives."""
        names = set(known)
        return [
            entry
            for entry in self.waiting()
            if entry.hook not in names and not (entry.owner and self._alive(entry.owner))
        ]

    def delivered(self, entry: Entry) -> None:
        """Forget an entry. Quiet when another process did so first."""
        self._commit([self._change(entry.key, entry.version, DELETE, "delivered")])

    def failed(self, entry: Entry, trouble: str) -> Entry | None:
        """Note a failed attempt; return the entry as it is now, None when it is another's."""
        return self._update(replace(entry, attempts=entry.attempts + 1, trouble=trouble), "attempt")

    def bury(self, entry: Entry, trouble: str) -> None:
        """Move an entry to those that could not be delivered; the oldest of them make room."""
        dead = Key(_DEAD + entry.key.removeprefix(_WAITING))
        there = self._local.read(dead).records.get(dead)
        value = {
            **_encode(entry.hook, entry.event, entry.number, entry.attempts + 1, trouble, None),
            "buried_at": rfc3339(self._clock.now()),
        }
        change = Transaction(
            expect={
                entry.key: entry.version,
                dead: ABSENT if there is None else there.version,
            },
            write={entry.key: DELETE, dead: value},
            subject="bury",
            actor=_ACTOR,
            heartbeat=True,
        )
        self._commit([change])
        spare = self.dead()[:-MOST_DEAD]
        self._commit([self._change(e.key, e.version, DELETE, "make room") for e in spare])

    def dead(self) -> list[Entry]:
        """Return what could not be delivered, oldest first."""
        return self._entries(_DEAD)

    def drop(self, entries: Iterable[Entry]) -> int:
        """Forget some of the dead; return how many."""
        return self._commit([self._change(e.key, e.version, DELETE, "drop") for e in entries])

    def revive(self, entries: Iterable[Entry]) -> int:
        """Let some of the dead wait again, as if never tried; return how many."""
        changes = []
        waiting = self._local.read(_WAITING).records
        for entry in entries:
            key = Key(_WAITING + entry.key.removeprefix(_DEAD))
            there = waiting.get(key)
            changes.append(
                Transaction(
                    expect={
                        entry.key: entry.version,
                        key: ABSENT if there is None else there.version,
                    },
                    write={
                        entry.key: DELETE,
                        key: _encode(entry.hook, entry.event, entry.number, 0, "", None),
                    },
                    subject="revive",
                    actor=_ACTOR,
                    heartbeat=True,
                )
            )
        return self._commit(changes)

    def _update(self, entry: Entry, word: str) -> Entry | None:
        value = _encode(
            entry.hook, entry.event, entry.number, entry.attempts, entry.trouble, entry.owner
        )
        [outcome] = self._local.commit([self._change(entry.key, entry.version, value, word)])
        if not isinstance(outcome, Committed):
            return None
        return replace(entry, version=outcome.versions[entry.key])

    def _entries(self, prefix: str) -> list[Entry]:
        found = (_decode(key, r) for key, r in self._local.read(prefix).records.items())
        return sorted((e for e in found if e is not None), key=lambda e: (e.number, e.key))

    def _commit(self, changes: list[Transaction]) -> int:
        return sum(isinstance(o, Committed) for o in self._local.commit(changes)) if changes else 0

    def _change(
        self, key: Key, version: Version | None, value: Value | Delete, subject: str
    ) -> Transaction:
        # A heartbeat: of an event that was told, the history need not keep a copy for ever.
        return Transaction(
            expect={key: ABSENT if version is None else version},
            write={key: value},
            subject=subject,
            actor=_ACTOR,
            heartbeat=True,
        )


def _encode(
    hook: str, event: Event, number: int, attempts: int, trouble: str, owner: Process | None
) -> dict[str, Any]:
    return {
        "hook": hook,
        "event": msgspec.to_builtins(event),
        "number": number,
        "attempts": attempts,
        "trouble": trouble,
        "owner": owner.to_value() if owner else None,
    }


def _decode(key: Key, record: Record) -> Entry | None:
    value = record.value
    try:
        owner = value.get("owner")
        return Entry(
            str(value["hook"]),
            msgspec.convert(value["event"], Event),
            int(value["number"]),
            int(value["attempts"]),
            str(value["trouble"]),
            Process.from_value(owner) if owner else None,
            key,
            record.version,
        )
    except (KeyError, TypeError, ValueError, msgspec.ValidationError):
        return None  # of another baton: it is not ours to tell
