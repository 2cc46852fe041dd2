"""The model's words as messages, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, cast

from gitbaton.core.errors import (
    BatonError,
    DamagedRecord,
    HostRefused,
    InvalidInput,
    OutcomeUnknown,
    Refused,
    RemoteUnreachable,
)
from gitbaton.core.ids import Nonce
from gitbaton.store import model
from gitbaton.store.model import ABSENT, DELETE, Key, Record, Transaction, Version
from gitbaton.store.ssh import wire
from gitbaton.store.values import decode_value, encode_value, encode_writes


def pack_transaction(name: Nonce, transaction: Transaction) -> wire.Change:
    """Return ``transaction`` under ``name``. Raises InvalidInput, ValueError if it moves refs."""
    if transaction.moves:
        raise ValueError("this store moves no branches")
    return wire.Change(
        name=name,
        expect={
            key: None if isinstance(expected, model.Absent) else str(expected)
            for key, expected in transaction.expect.items()
        },
        write={
            key: None if isinstance(written, model.Delete) else written
            for key, written in encode_writes(transaction).items()
        },
        subject=transaction.subject,
        actor=transaction.actor.name,
        email=transaction.actor.email,
        heartbeat=transaction.heartbeat,
    )


def unpack_transaction(change: wire.Change) -> Transaction:
    """Return the transaction in ``change``. Raises InvalidInput, DamagedRecord, ValueError."""
    return Transaction(
        expect={
            Key(key): ABSENT if expected is None else Version(expected)
            for key, expected in change.expect.items()
        },
        write={
            Key(key): DELETE if data is None else decode_value(data)
            for key, data in change.write.items()
        },
        subject=change.subject,
        actor=model.Actor(change.actor, change.email),
        heartbeat=change.heartbeat,
    )


def pack_snapshot(snapshot: model.Snapshot) -> wire.Rows:
    """Return what a read found. The times stay here: they are of this clock."""
    rows = tuple(_pack_record(key, record) for key, record in snapshot.records.items())
    return wire.Rows(rows, {str(key): why for key, why in snapshot.damaged.items()})


def unpack_snapshot(rows: wire.Rows, *, asked: float, answered: float) -> model.Snapshot:
    """Return the snapshot that was asked for and answered at these times."""
    records: dict[Key, Record] = {}
    damaged = {Key(key): why for key, why in rows.damaged.items()}
    for row in rows.rows:
        try:
            records[Key(row.key)] = Record(Version(row.version), decode_value(row.data or b""))
        except DamagedRecord as error:
            damaged[Key(row.key)] = error.message
    return model.Snapshot(records, records, damaged, asked, answered)


def pack_choice(choice: model.Choice) -> wire.Fate:
    """Return what became of a transaction."""
    if isinstance(choice, model.Committed):
        return wire.Done({str(key): str(version) for key, version in choice.versions.items()})
    if isinstance(choice, model.Conflict):
        return wire.Stale(
            tuple(
                wire.Row(key, "", None)
                if isinstance(found, model.Absent)
                else _pack_record(key, found)
                for key, found in choice.found.items()
            )
        )
    if isinstance(choice, model.Rejected):
        return wire.Denied(choice.reason, choice.ref, choice.code)
    if isinstance(choice, model.Unknown):
        return wire.Doubt(choice.reason)
    return wire.Untried()


def unpack_choice(fate: wire.Fate) -> model.Choice:
    """Return what became of a transaction. Raises DamagedRecord."""
    if isinstance(fate, wire.Done):
        return model.Committed({Key(k): Version(v) for k, v in fate.versions.items()})
    if isinstance(fate, wire.Stale):
        return model.Conflict(
            {
                Key(row.key): ABSENT
                if row.data is None
                else Record(Version(row.version), decode_value(row.data))
                for row in fate.found
            }
        )
    if isinstance(fate, wire.Denied):
        return model.Rejected(fate.reason, fate.ref, _code(fate.code))
    if isinstance(fate, wire.Doubt):
        return model.Unknown(fate.reason)
    return model.Spared()


def pack_history(changes: Sequence[model.Change]) -> wire.Events:
    """Return a history."""
    return wire.Events(
        tuple(
            wire.Event(
                key=change.key,
                version=change.version,
                at=change.at,
                actor=change.actor,
                subject=change.subject,
                data=None if change.value is None else encode_value(change.value),
            )
            for change in changes
        )
    )


def unpack_history(events: wire.Events) -> list[model.Change]:
    """Return a history. Raises DamagedRecord."""
    return [
        model.Change(
            key=Key(event.key),
            version=Version(event.version),
            at=event.at,
            actor=event.actor,
            subject=event.subject,
            value=None if event.data is None else decode_value(event.data),
        )
        for event in events.events
    ]


def pack_error(error: BatonError) -> wire.Failed:
    """Return ``error`` as it travels."""
    kind = next(name for name, known in _KINDS.items() if isinstance(error, known))
    message, detail = error.message, ""
    if isinstance(error, InvalidInput):
        message, detail = message.removeprefix(f"{error.field}: "), error.field
    elif isinstance(error, HostRefused):
        message, detail = error.reason, error.ref or ""
    return wire.Failed(kind, error.code, message, error.next, detail)


def unpack_error(failed: wire.Failed) -> BatonError:
    """Return the error that was raised on the other side."""
    if failed.kind == "invalid":
        return InvalidInput(failed.detail, failed.message, next=failed.next)
    if failed.kind == "refused":
        return Refused(failed.message, code=failed.code, next=failed.next)
    if failed.kind == "host_refused":
        return HostRefused(failed.message, ref=failed.detail or None, next=failed.next)
    return _KINDS.get(failed.kind, BatonError)(failed.message, next=failed.next)


_KINDS: Final[Mapping[str, type[BatonError]]] = {  # the special before the general
    "invalid": InvalidInput,
    "refused": Refused,
    "host_refused": HostRefused,
    "outcome_unknown": OutcomeUnknown,
    "unreachable": RemoteUnreachable,
    "damaged": DamagedRecord,
    "error": BatonError,
}


def _pack_record(key: Key, record: Record) -> wire.Row:
    return wire.Row(key, record.version, encode_value(record.value))


_Code = Literal["refused", "no_atomic", "contention", "damaged"]


def _code(word: str) -> _Code:
    known = ("refused", "no_atomic", "contention", "damaged")
    return cast(_Code, word) if word in known else "refused"
