"""Short words for the transactions that the suite makes."""

from __future__ import annotations

from collections.abc import Mapping

from gitbaton.store.model import (
    ABSENT,
    DELETE,
    Absent,
    Actor,
    Committed,
    Conflict,
    Delete,
    Key,
    Outcome,
    Transaction,
    Value,
    Version,
)
from gitbaton.store.protocol import Store

ACTOR = Actor("laptop-C/w1", "w1@laptop-c.invalid")


def change(
    expect: Mapping[Key, Version | Absent],
    write: Mapping[Key, Value | Delete],
    *,
    subject: str = "test: a change",
    actor: Actor = ACTOR,
    heartbeat: bool = False,
) -> Transaction:
    """Return a transaction without moves."""
    return Transaction(
        expect=expect, write=write, subject=subject, actor=actor, heartbeat=heartbeat
    )


def put(
    store: Store,
    key: Key,
    value: Value | Delete,
    expected: Version | Absent = ABSENT,
    *,
    subject: str = "test: put",
    heartbeat: bool = False,
) -> Outcome:
    """Try to write one record; return what became of it."""
    wish = change({key: expected}, {key: value}, subject=subject, heartbeat=heartbeat)
    (outcome,) = store.commit([wish])
    return outcome


def created(store: Store, key: Key, value: Value) -> Version:
    """Create a record that is not there yet; return its version."""
    return won(put(store, key, value))[key]


def replaced(store: Store, key: Key, value: Value, expected: Version) -> Version:
    """Replace a record whose version is known; return the new one."""
    return won(put(store, key, value, expected))[key]


def deleted(store: Store, key: Key, expected: Version) -> None:
    """Delete a record whose version is known."""
    won(put(store, key, DELETE, expected))


def won(outcome: Outcome) -> Mapping[Key, Version]:
    """Return the versions of a transaction that must have been committed."""
    assert isinstance(outcome, Committed), outcome
    return outcome.versions


def lost(outcome: Outcome) -> Conflict:
    """Return the conflict of a transaction that must have lost."""
    assert isinstance(outcome, Conflict), outcome
    return outcome


def values(store: Store, prefix: str = "") -> dict[Key, Value]:
    """Return the values under ``prefix``, as ``read`` shows them."""
    snapshot = store.read(prefix)
    assert not snapshot.damaged
    return {key: record.value for key, record in snapshot.records.items()}
