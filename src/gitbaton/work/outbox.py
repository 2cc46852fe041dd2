"""What waits to be sent while the remote is away. Private to the clone, kept in its own engine.

Written before anything is removed, dropped after the remote has answered: killed in between, an
entry is sent twice, and the claim's token makes the second time harmless.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.errors import BatonError
from gitbaton.core.process import Process, is_alive
from gitbaton.store.model import (
    ABSENT,
    DELETE,
    Actor,
    Committed,
    Delete,
    Key,
    Outcome,
    Record,
    Transaction,
    Value,
    Version,
)
from gitbaton.store.protocol import Store

Kind: TypeAlias = Literal["add", "land", "block", "fail", "release", "rescue"]

_PREFIX = "outbox/"
_ACTOR = Actor("outbox")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to send. ``body`` is JSON; what it holds depends on ``kind`` (``work.sync``)."""

    kind: Kind
    task: str
    at: str
    body: Mapping[str, Any]
    owner: Process | None  # who is at it; while that process lives, nobody else sends it
    key: Key
    version: Version


class Outbox:
    """Entries in the order in which they were made. Shared by all processes of a clone.

    ``alive``: tells whether a process that is at an entry may still run.
    """

    def __init__(
        self, local: Store, clock: Clock, alive: Callable[[Process], bool] | None = None
    ) -> None:
        self._local = local
        self._clock = clock
        self._alive = alive or partial(is_alive, origin=clock.origin)

    def put(
        self, kind: Kind, task: str, body: Mapping[str, Any], *, owner: Process | None = None
    ) -> Entry:
        """Keep an entry until it is dropped. Raises BatonError when it cannot be kept.

        ``owner``: a living process that is about to send it itself; the entry is its journal.
        """
        now = self._clock.now()
        key = Key(f"{_PREFIX}{self._next(int(now.timestamp() * 1000)):015d}-{secrets.token_hex(8)}")
        value = {
            "kind": kind,
            "task": task,
            "at": rfc3339(now),
            "body": dict(body),
            "owner": owner.to_value() if owner else None,
        }
        [outcome] = self._local.commit(
            [
                Transaction(
                    expect={key: ABSENT},
                    write={key: value},
                    subject=f"queue: {kind} {task}",
                    actor=_ACTOR,
                )
            ]
        )
        if not isinstance(outcome, Committed):
            raise BatonError(
                f"the outbox could not be written: {outcome!r}", next="the same command again"
            )
        return _entry(key, Record(outcome.versions[key], value))

    def entries(self) -> list[Entry]:
        """Return what waits, oldest first."""
        found = self._local.read(_PREFIX).records
        return [_entry(key, record) for key, record in sorted(found.items())]

    def take(self, entry: Entry, owner: Process) -> Entry | None:
        """Make ``owner`` the one who sends ``entry``; None when another process is at it."""
        if entry.owner is not None and self._alive(entry.owner):
            return None
        value = {**_value(entry), "owner": owner.to_value()}
        outcome = self._replace(entry, value, "take")
        if not isinstance(outcome, Committed):
            return None
        return _entry(entry.key, Record(outcome.versions[entry.key], value))

    def give_up(self, entry: Entry) -> None:
        """Leave an entry to whoever comes next: its owner will not send it now."""
        self._replace(entry, {**_value(entry), "owner": None}, "queue")

    def drop(self, entry: Entry) -> None:
        """Forget an entry that was sent. Quiet when another process did so first."""
        self._replace(entry, DELETE, "sent")

    def _next(self, now: int) -> int:
        """Return a number behind those of all that waits: the wall clock may be set back."""
        waiting = self._local.read(_PREFIX).records
        last = max((key.removeprefix(_PREFIX).partition("-")[0] for key in waiting), default="0")
        return max(now, int(last) + 1)

    def _replace(self, entry: Entry, value: Value | Delete, word: str) -> Outcome:
        [outcome] = self._local.commit(
            [
                Transaction(
                    expect={entry.key: entry.version},
                    write={entry.key: value},
                    subject=f"{word}: {entry.kind} {entry.task}",
                    actor=_ACTOR,
                )
            ]
        )
        return outcome


def _entry(key: Key, record: Record) -> Entry:
    value = record.value
    owner = value.get("owner")
    return Entry(
        value["kind"],
        value["task"],
        value["at"],
        value["body"],
        Process.from_value(owner) if owner else None,
        key,
        record.version,
    )


def _value(entry: Entry) -> dict[str, Any]:
    return {"kind": entry.kind, "task": entry.task, "at": entry.at, "body": dict(entry.body)}
