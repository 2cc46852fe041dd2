"""Gives messages to readers: a take is a claim with a number, a nonce and a lease."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from msgspec.structs import replace

from gitbaton.core.clock import Clock
from gitbaton.core.errors import ClaimLost, OutcomeUnknown, Refused
from gitbaton.core.ids import new_nonce
from gitbaton.plans.inbox.model import Delivery, Handle, Hold, Message, to_value
from gitbaton.plans.inbox.records import Found, Part, delivery_key, read_deliveries, read_one
from gitbaton.plans.inbox.rules import Reading, concerns, in_turn, is_free
from gitbaton.store.model import (
    Actor,
    Committed,
    Outcome,
    Rejected,
    Transaction,
    Unknown,
    Version,
)
from gitbaton.store.protocol import Store
from gitbaton.tasks.leases import Observation, Subject, look

_TRIED: Final = 8  # how many are offered to a store at once: others may be taking the first ones
_ROUNDS: Final = 20


class Taker:
    """Takes messages from the inbox in ``store``. Not for two threads at once."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._sights: Mapping[Handle, Observation] = {}

    def take(
        self,
        reader: str,
        boxes: Collection[str],
        *,
        lease: float,
        wanted: Callable[[Delivery], bool] = lambda delivery: True,
    ) -> Message | None:
        """Return the next message for ``reader`` of ``boxes``, now in its hands; None: no more.

        What is not ``wanted`` is left for later, or for others.
        Of several readers that take at once each gets another message.
        """
        for _ in range(_ROUNDS):
            asked = self._clock.elapsed()
            part = read_deliveries(self._store)
            free = self._free(part, boxes, wanted, asked)
            if not free:
                return None
            wishes = [
                self._wish(handle, part.found[handle], reader, lease)
                for handle in in_turn(free)[:_TRIED]
            ]
            choices = self._store.commit_first([change for _, change in wishes], 1)
            for (message, _), choice in zip(wishes, choices, strict=True):
                if isinstance(choice, Rejected):
                    raise Refused(choice.reason, code=choice.code, next="baton inbox list")
                if isinstance(choice, Committed | Unknown):
                    taken = self._confirm(message, choice)
                    if taken is not None:
                        return taken
        return None  # others were faster all the time: there is nothing that waits long

    def renew(self, message: Message) -> Message:
        """Return ``message`` with a lease that begins now. Raises ClaimLost, OutcomeUnknown."""
        hold = replace(message.hold, origin=self._clock.origin, since=self._clock.elapsed())
        return self._rewrite(message, hold, "renew", heartbeat=True)

    def release(self, message: Message) -> None:
        """Give ``message`` back: the next reader gets it at once. Raises as ``renew``."""
        self._rewrite(message, None, "release", heartbeat=False)

    def _free(
        self,
        part: Part[Delivery],
        boxes: Collection[str],
        wanted: Callable[[Delivery], bool],
        asked: float,
    ) -> dict[Handle, Delivery]:
        now = Reading(self._clock.origin, self._clock.elapsed())
        self._sights = {
            handle: look(
                self._sights.get(handle),
                # Nobody is cut off from a file on their own disk, so all time between looks counts.
                Subject("lease", found.version, found.value.hold.lease),
                origin=now.origin,
                asked=asked,
                answered=now.elapsed,
            )
            for handle, found in part.found.items()
            if found.value.hold is not None
        }
        watched = {handle: sight.watched for handle, sight in self._sights.items()}
        return {
            handle: found.value
            for handle, found in part.found.items()
            if concerns(found.value, boxes)
            and wanted(found.value)
            and is_free(found.value, now, watched=watched.get(handle, 0.0))
        }

    def _wish(
        self, handle: Handle, found: Found[Delivery], reader: str, lease: float
    ) -> tuple[Message, Transaction]:
        number = found.value.count + 1
        hold = Hold(
            delivery=number,
            nonce=new_nonce(),
            reader=reader,
            lease=lease,
            origin=self._clock.origin,
            since=self._clock.elapsed(),
        )
        delivery = replace(found.value, hold=hold, count=number)
        message = Message(handle, found.version, delivery, hold)
        return message, _change(message, delivery, f"take: {handle[:12]} delivery {number}")

    def _confirm(self, message: Message, outcome: Outcome) -> Message | None:
        """Return ``message`` at its new version, if it is in our hands."""
        key = delivery_key(message.handle)
        if isinstance(outcome, Committed):
            return _at(message, outcome.versions[key], message.delivery)
        found = read_one(self._store, key, Delivery)
        if found is None or found.value.hold is None:
            return None
        ours = found.value.hold.nonce == message.hold.nonce
        return _at(message, found.version, found.value) if ours else None

    def _rewrite(
        self, message: Message, hold: Hold | None, verb: str, *, heartbeat: bool
    ) -> Message:
        subject = f"{verb}: {message.handle[:12]} delivery {message.hold.delivery}"
        while True:
            delivery = replace(message.delivery, hold=hold)
            (outcome,) = self._store.commit(
                [_change(message, delivery, subject, heartbeat=heartbeat)]
            )
            if isinstance(outcome, Committed):
                version = outcome.versions[delivery_key(message.handle)]
                return Message(message.handle, version, delivery, hold or message.hold)
            if isinstance(outcome, Rejected):
                raise Refused(outcome.reason, code=outcome.code, next="baton inbox list")
            found = read_one(self._store, delivery_key(message.handle), Delivery)
            now = None if found is None else found.value.hold
            if found is None or now is None or now.nonce != message.hold.nonce:
                if hold is None and found is not None and now is None:
                    return message  # it waits, as we wish
                raise lost(message.handle, now)
            message = Message(message.handle, found.version, found.value, now)
            if now == hold:
                return message
            if isinstance(outcome, Unknown):
                raise OutcomeUnknown(f"the {verb} of message {message.handle[:12]} is not known")
            # Ours after all: a renewal whose answer was lost had come through since.


def lost(handle: Handle, now: Hold | None) -> ClaimLost:
    """Return the error for a reader whose delivery is not the current one."""
    who = "is not in your hands" if now is None else f"is in the hands of {now.reader}"
    return ClaimLost(
        handle, f"message {handle[:12]} {who}: this delivery is over", next="baton inbox list --all"
    )


def _at(message: Message, version: Version, delivery: Delivery) -> Message:
    return Message(message.handle, version, delivery, message.hold)


def _change(
    message: Message, delivery: Delivery, subject: str, *, heartbeat: bool = False
) -> Transaction:
    key = delivery_key(message.handle)
    return Transaction(
        expect={key: message.version},
        write={key: to_value(delivery)},
        subject=subject,
        actor=Actor(message.hold.reader),
        heartbeat=heartbeat,
    )
