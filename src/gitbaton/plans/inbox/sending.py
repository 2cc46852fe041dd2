"""Puts messages into an inbox, each once, however often it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from gitbaton.core.errors import BatonError, DamagedRecord, OutcomeUnknown, Refused
from gitbaton.core.ids import Nonce, new_nonce
from gitbaton.plans.inbox.aging import AgeKeeper
from gitbaton.plans.inbox.drafts import digest, handle, is_copy
from gitbaton.plans.inbox.model import Delivery, Draft, Handle, Letter, Receipt, to_value
from gitbaton.plans.inbox.records import Found, delivery_key, letter_key, read_one
from gitbaton.plans.inbox.rules import is_new_again
from gitbaton.store.model import (
    ABSENT,
    Absent,
    Actor,
    Committed,
    Conflict,
    Key,
    Outcome,
    Rejected,
    Transaction,
    Unknown,
    Value,
    Version,
)
from gitbaton.store.protocol import Store

Fate: TypeAlias = Receipt | BatonError
"""What became of one of several messages."""


def send_all(
    store: Store, ages: AgeKeeper, drafts: Sequence[Draft], *, now: datetime
) -> list[Fate]:
    """Send ``drafts`` in one commit; return what became of each, in their order.

    A message of which that is not known is an OutcomeUnknown: it may be sent again. An id that
    comes again with other content is refused (``id_reused``). Raises what the store raises when
    nothing was sent.
    """
    sendings = [
        _Sending(draft, sent_at=_moment(now), number=number) for number, draft in enumerate(drafts)
    ]
    outcomes = store.commit([sending.transaction() for sending in sendings])
    return [
        _settle(store, ages, sending, outcome)
        for sending, outcome in zip(sendings, outcomes, strict=True)
    ]


class _Sending:
    """One attempt to send one message."""

    def __init__(self, draft: Draft, *, sent_at: str, number: int) -> None:
        self.draft, self.handle, self.nonce = draft, handle(draft), new_nonce()
        self._sent_at, self._number = sent_at, number

    def transaction(self, old: Version | Absent = ABSENT) -> Transaction:
        """Return what puts the message there, in the place of an ``old`` letter."""
        writes = _records(self.draft, self.handle, self.nonce, self._sent_at, self._number)
        return Transaction(
            expect={letter_key(self.handle): old, delivery_key(self.handle): ABSENT},
            write=writes,
            subject=f"send: {self.handle[:12]}",
            actor=Actor(self.draft.sender),
        )


def _records(
    draft: Draft, handle: Handle, nonce: Nonce, sent_at: str, number: int
) -> Mapping[Key, Value]:
    letter = Letter(
        sender=draft.sender,
        id=draft.id,
        box=draft.box,
        task=draft.task,
        task_epoch=draft.task_epoch,
        digest=digest(draft),
        nonce=nonce,
        sent_at=sent_at,
    )
    delivery = Delivery(
        sender=draft.sender,
        id=draft.id,
        box=draft.box,
        text=draft.text,
        task=draft.task,
        task_epoch=draft.task_epoch,
        sent_at=sent_at,
        number=number,
    )
    return {letter_key(handle): to_value(letter), delivery_key(handle): to_value(delivery)}


def _settle(store: Store, ages: AgeKeeper, sending: _Sending, outcome: Outcome) -> Fate:
    try:
        while True:
            if isinstance(outcome, Committed):
                return Receipt(sending.handle, copy=False)
            if isinstance(outcome, Rejected):
                return Refused(outcome.reason, code=outcome.code, next="baton inbox list")
            found = read_one(store, letter_key(sending.handle), Letter)
            if found is None and isinstance(outcome, Unknown):
                return OutcomeUnknown(
                    f"whether the message was sent is not known: {outcome.reason}",
                    next="send it again: it is delivered once",
                )
            if found is not None:
                fate = _judge(ages, sending, found)
                if fate is not None:
                    return fate
            # It was pruned since, or the same content may be said again by now.
            old = ABSENT if found is None else found.version
            (outcome,) = store.commit([sending.transaction(old)])
    except DamagedRecord as error:
        return error
    except BatonError as error:
        if isinstance(outcome, Conflict):
            return error
        return OutcomeUnknown(f"whether the message was sent is not known: {error.message}")


def _judge(ages: AgeKeeper, sending: _Sending, found: Found[Letter]) -> Fate | None:
    """Return what it means that there is a letter already; None: it may be replaced."""
    letter = found.value
    if letter.nonce == sending.nonce:  # ours: the answer was lost on its way
        return Receipt(sending.handle, copy=False, response=letter.response)
    if not is_copy(sending.draft, letter):
        return Refused(
            f"{letter.sender} has sent another message with the id {letter.id!r}",
            code="id_reused",
            next="give every message an id of its own",
        )
    if letter.response is not None and is_new_again(letter, ages.read()):
        return None
    return Receipt(sending.handle, copy=True, response=letter.response)


def _moment(now: datetime) -> str:
    """Return RFC 3339 with microseconds: a sender may say much in one second."""
    return now.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
