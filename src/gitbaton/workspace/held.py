"""The tokens of claims made from this clone, and who may use them without showing one.

``claim`` keeps the token here so that a person need not copy it. That must not let one session
finish another's task, so the rule is strict and pure (``find_objection``); ``HeldClaims`` keeps
the records, in the clone's private store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gitbaton.core.clock import Clock
from gitbaton.core.process import Process, is_alive, same_process
from gitbaton.store.model import (
    ABSENT,
    DELETE,
    Absent,
    Actor,
    Committed,
    Delete,
    Key,
    Record,
    Transaction,
    Value,
    make_key,
)
from gitbaton.store.protocol import Store

COLLECTION = "claims"
_ACTOR = Actor("baton")
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Session:
    """Who runs a command: ``BATON_SESSION``, ``BATON_AGENT`` (None: unset), session leader."""

    name: str | None
    agent: str | None
    leader: Process | None

    @property
    def declared(self) -> tuple[str | None, str | None]:
        """What the environment says of it."""
        return self.name, self.agent


@dataclass(frozen=True, slots=True)
class HeldClaim:
    """A claim made from this clone. ``seen`` and ``origin``: when it was last known current.

    ``lease`` in seconds; ``holder`` is the name it was claimed under, for people.
    """

    task: str
    epoch: int
    token: str
    holder: str
    session: Session
    lease: float
    seen: float
    origin: str

    def is_current(self, *, elapsed: float, origin: str) -> bool:
        """Tell whether its lease still runs, as far as this machine can tell by its own clock."""
        return self.origin == origin and elapsed - self.seen < self.lease


def find_objection(
    wanted: HeldClaim,
    *,
    me: Session,
    current: Sequence[HeldClaim],
    alive: Callable[[Process], bool],
) -> str | None:
    """Return why ``me`` may not use the stored token of ``wanted``; None: I may.

    ``current`` are the clone's claims whose lease still runs. A session that has a name is
    itself if the name is the same. One without a name is itself only if nobody else is about.
    """
    if me.declared != wanted.session.declared:
        return f"it was claimed by another session ({_describe(wanted)})"
    if me.declared != (None, None):
        return None
    for claim in (wanted, *current):
        leader = claim.session.leader
        if claim.session.declared != (None, None):
            return f"another session is active in this clone ({_describe(claim)})"
        if leader is not None and not same_process(leader, me.leader) and alive(leader):
            return f"another session is active in this clone ({_describe(claim)})"
    return None


def _describe(claim: HeldClaim) -> str:
    said = ", ".join(
        f"{name}={value}"
        for name, value in zip(
            ("BATON_SESSION", "BATON_AGENT"), claim.session.declared, strict=True
        )
        if value is not None
    )
    leader = claim.session.leader
    where = said or (f"process {leader.pid}" if leader else "no session name")
    return f"{claim.holder} holds {claim.task}, {where}"


class HeldClaims:
    """The stored claims of one clone."""

    def __init__(self, local: Store, clock: Clock) -> None:
        self._local, self._clock = local, clock

    def keep(self, claim: HeldClaim) -> None:
        """Store ``claim``, in place of an older one on the same task."""
        self._write(claim.task, lambda _: _encode(claim))

    def touch(self, task: str, epoch: int) -> None:
        """Note that the claim was renewed just now."""

        def renewed(found: Record | Absent) -> Value | None:
            held = None if found is ABSENT else _decode(found.value)
            if held is None or held.epoch != epoch:
                return None
            seen, origin = self._clock.elapsed(), self._clock.origin
            return _encode(replace(held, seen=seen, origin=origin))

        self._write(task, renewed)

    def drop(self, task: str, epoch: int) -> None:
        """Forget the claim of that epoch; a later one stays."""

        def removed(found: Record | Absent) -> Delete | None:
            held = None if found is ABSENT else _decode(found.value)
            return DELETE if held is not None and held.epoch <= epoch else None

        self._write(task, removed)

    def all(self) -> list[HeldClaim]:
        """Return every stored claim, by task. Records of another version are passed over."""
        records = self._local.read(f"{COLLECTION}/").records
        claims = (_decode(record.value) for _, record in sorted(records.items()))
        return [claim for claim in claims if claim is not None]

    def find(self, task: str) -> HeldClaim | None:
        """Return the stored claim of ``task``, if there is one."""
        return next((claim for claim in self.all() if claim.task == task), None)

    def objection(self, wanted: HeldClaim, me: Session) -> str | None:
        """Apply the rule to what is stored now (see ``find_objection``)."""
        elapsed, origin = self._clock.elapsed(), self._clock.origin
        return find_objection(
            wanted,
            me=me,
            current=[c for c in self.all() if c.is_current(elapsed=elapsed, origin=origin)],
            alive=lambda process: is_alive(process, origin=origin),
        )

    def _write(self, task: str, decide: Callable[[Record | Absent], Value | Delete | None]) -> None:
        key = make_key(COLLECTION, task)
        for _ in range(_TRIES):
            found = self._local.read(key).records.get(Key(key), ABSENT)
            value = decide(found)
            if value is None:
                return
            outcome = self._local.commit(
                [
                    Transaction(
                        expect={key: ABSENT if found is ABSENT else found.version},
                        write={key: value},
                        subject=f"held: {task}",
                        actor=_ACTOR,
                    )
                ]
            )[0]
            if isinstance(outcome, Committed):
                return


def _encode(claim: HeldClaim) -> dict[str, Any]:
    leader = claim.session.leader
    return {
        "task": claim.task,
        "epoch": claim.epoch,
        "token": claim.token,
        "holder": claim.holder,
        "session": claim.session.name,
        "agent": claim.session.agent,
        "leader": None if leader is None else leader.to_value(),
        "lease": claim.lease,
        "seen": claim.seen,
        "origin": claim.origin,
    }


def _decode(value: Value) -> HeldClaim | None:
    try:
        leader = value["leader"]
        session = Session(
            value["session"],
            value["agent"],
            None if leader is None else Process.from_value(leader),
        )
        return HeldClaim(
            task=value["task"],
            epoch=int(value["epoch"]),
            token=value["token"],
            holder=value["holder"],
            session=session,
            lease=float(value["lease"]),
            seen=float(value["seen"]),
            origin=value["origin"],
        )
    except (KeyError, TypeError, ValueError):
        return None  # written by another version of gitbaton: worth no more than no token
