"""What waits to be sent while the remote is away. Private to the clone, kept in its own engine.

Written before anything is removed, dropped after the remote has answered: killed in between, an
entry is sent twice, and the claim's token makes the second time harmless.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.errors import BatonError
from gitbaton.store.model import ABSENT, DELETE, Actor, Committed, Key, Transaction, Version
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
    key: Key
    version: Version


class Outbox:
    """Entries in the order in which they were made. Shared by all processes of a clone."""

    def __init__(self, local: Store, clock: Clock) -> None:
        self._local = local
        self._clock = clock

    def put(self, kind: Kind, task: str, body: Mapping[str, Any]) -> None:
        """Keep an entry until it is dropped."""
        now = self._clock.now()
        key = Key(f"{_PREFIX}{int(now.timestamp() * 1000):015d}-{secrets.token_hex(8)}")
        value = {"kind": kind, "task": task, "at": rfc3339(now), "body": dict(body)}
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
            raise BatonError(f"the outbox could not be written: {outcome!r}")

    def entries(self) -> list[Entry]:
        """Return what waits, oldest first."""
        found = self._local.read(_PREFIX).records
        return [
            Entry(
                record.value["kind"],
                record.value["task"],
                record.value["at"],
                record.value["body"],
                key,
                record.version,
            )
            for key, record in sorted(found.items())
        ]

    def drop(self, entry: Entry) -> None:
        """Forget an entry that was sent. Quiet when another process did so first."""
        self._local.commit(
            [
                Transaction(
                    expect={entry.key: entry.version},
                    write={entry.key: DELETE},
                    subject=f"sent: {entry.kind} {entry.task}",
                    actor=_ACTOR,
                )
            ]
        )
