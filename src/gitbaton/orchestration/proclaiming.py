"""Writes and reads the record of a plan: the last file that was started is the one in force."""

from __future__ import annotations

from typing import Final

from gitbaton.core.clock import Clock, rfc3339
from gitbaton.core.errors import DamagedRecord, HostRefused, OutcomeUnknown, Refused
from gitbaton.plans.announcement import (
    Announcement,
    announce,
    decode_plan,
    encode_plan,
    plan_key,
)
from gitbaton.plans.model import Plan
from gitbaton.store.model import ABSENT, Actor, Committed, Conflict, Rejected, Snapshot, Transaction
from gitbaton.store.protocol import Store

_TRIES: Final = 12


def proclaim(
    store: Store, plan: Plan, data: bytes, *, actor: Actor, clock: Clock
) -> Announcement | None:
    """Put the file ``data`` of ``plan`` in force; return what was written, None if it was so.

    Two orchestrators of one file write it once. Raises DamagedRecord, HostRefused, Refused,
    RemoteUnreachable, OutcomeUnknown (do it again).
    """
    key = plan_key(plan.name)
    for _ in range(_TRIES):
        snapshot = store.read(key)
        before = read_plan_record(snapshot, plan.name)
        at = rfc3339(clock.now())
        wanted = announce(plan, data, before, by=actor.name, at=at)
        if wanted == before:
            return None
        change = Transaction(
            expect={key: ABSENT if before is None else snapshot.records[key].version},
            write={key: encode_plan(wanted)},
            subject=f"plan: {wanted.name}, revision {wanted.revision}",
            actor=actor,
        )
        [outcome] = store.commit([change])
        if isinstance(outcome, Committed):
            return wanted
        if isinstance(outcome, Rejected):
            raise HostRefused(outcome.reason, ref=outcome.ref)
        if not isinstance(outcome, Conflict):
            raise OutcomeUnknown(f"the plan's record: {outcome.reason}", next="try again")
    raise Refused(
        f"the record of plan {plan.name!r} kept changing",
        code="busy",
        next="the same command again",
    )


def read_plan_record(snapshot: Snapshot, name: str) -> Announcement | None:
    """Return the record of plan ``name``, None if there is none; raise DamagedRecord."""
    key = plan_key(name)
    record = snapshot.records.get(key)
    if record is None and key in snapshot.damaged:
        raise DamagedRecord(f"{key}: {snapshot.damaged[key]}", next="baton doctor")
    return None if record is None else decode_plan(key, record.value)
